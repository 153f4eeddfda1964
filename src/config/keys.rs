//! Checks a parsed file by its schema: unknown and missing keys, kinds, bounds, named values, each with its place.
//!
//! Serde would stop at the first of these. What is wrong is noted and taken out, so that the rest is checked too.

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::source::Source;
use super::{ConfigError, ConfigErrors, hint};

/// Reads a TOML text into a raw value, with everything noted that its schema does not allow.
///
/// None when not even a part of it can be used.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    source: &Arc<Source>,
    schema: &Value,
    errors: &mut ConfigErrors,
) -> Option<T> {
    let (mut table, wrong) = DeTable::parse_recoverable(text);
    if !wrong.is_empty() {
        wrong.iter().for_each(|error| errors.add(syntax_error(source, error)));
        return None;
    }
    let span = table.span();
    Walk { root: schema, source, errors: &mut *errors }.table(table.get_mut(), span.start..span.start, schema, "");
    T::deserialize(toml::de::Deserializer::from(table)).map_err(|error| unforeseen(source, &error, errors)).ok()
}

/// An error that the schema should have told; it is shown only if nothing else is.
fn unforeseen(source: &Arc<Source>, error: &toml::de::Error, errors: &mut ConfigErrors) {
    if !errors.any_in(source) {
        errors.add(ConfigError::new(error.message(), source.place(error.span().unwrap_or(0..0)), hint::NONE));
    }
}

fn syntax_error(source: &Arc<Source>, error: &toml::de::Error) -> ConfigError {
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, format!("expected {expected}")),
        None => (error.message(), String::new()),
    };
    let hint = match what {
        "duplicate key" => "a key or table stands once; a list of tables is `[[recipient]]`".to_owned(),
        _ => expected,
    };
    ConfigError::new(what, source.place(error.span().unwrap_or(0..0)), hint)
}

/// A schema with what its key means.
type Meant<'a> = (&'a Value, Option<String>);

struct Walk<'a> {
    root: &'a Value,
    source: &'a Arc<Source>,
    errors: &'a mut ConfigErrors,
}

impl<'a> Walk<'a> {
    fn wrong(&mut self, span: Range<usize>, what: String, hint: impl Into<String>) {
        self.errors.add(ConfigError::new(what, self.source.place(span), hint));
    }

    /// The schema behind a reference; what stands beside the reference is lost.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.get("$defs")?.get(name)).unwrap_or(schema)
    }

    /// Checks a table; `header` is where it is opened, `path` its name as in `schedules.monthly`.
    fn table(&mut self, table: &mut DeTable<'_>, header: Range<usize>, schema: &'a Value, path: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|schema| schema.is_object());
        let mut refused = Vec::new();
        let mut meant = Vec::new();
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            let known = properties.and_then(|known| known.get(name)).or(others);
            let Some(schema) = known else {
                let known = properties.iter().flat_map(|known| known.keys()).map(String::as_str);
                meant.extend(hint::nearest(name, known.clone()));
                let hint = hint::for_unknown(name, &format!("keys{}", inside(path)), known);
                self.wrong(key.span(), format!("unknown key `{}`{}", shown(name), inside(path)), hint);
                refused.push(key.clone());
                continue;
            };
            let path = if path.is_empty() { shown(name) } else { format!("{path}.{}", shown(name)) };
            if !self.value(value, key.span(), schema, &path) {
                refused.push(key.clone());
            }
        }
        for (name, schema) in required(schema, properties) {
            if !table.contains_key(name) && !meant.contains(&name) {
                self.missing(name, schema, header.clone(), path);
            }
        }
        for key in &refused {
            table.remove(key);
        }
    }

    fn missing(&mut self, name: &str, schema: Option<&'a Value>, header: Range<usize>, path: &str) {
        let is_table = schema.is_some_and(|schema| self.resolved(schema)["type"] == "object");
        let meaning = schema.and_then(meaning).map(|meaning| format!(": {meaning}")).unwrap_or_default();
        if is_table && path.is_empty() {
            self.wrong(header, format!("missing section `[{name}]`"), format!("add `[{name}]`{meaning}"));
        } else {
            self.wrong(header, format!("missing key `{name}`{}", inside(path)), format!("add `{name} = …`{meaning}"));
        }
    }

    /// Checks a value; false when it cannot be used.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, key: Range<usize>, schema: &'a Value, path: &str) -> bool {
        let meant = meaning(schema);
        let schema = self.resolved(schema);
        let span = value.span();
        let wanted = schema.get("type").and_then(Value::as_str).unwrap_or("string");
        if kind_of(value.get_ref()) != wanted {
            let what = match schema.get("x-refusal").and_then(Value::as_str).filter(|_| value.get_ref().is_str()) {
                Some(refusal) => refusal.to_owned(),
                None => {
                    format!("`{}` must be {}, not {}", last(path), in_words(wanted), in_words(kind_of(value.get_ref())))
                }
            };
            let advice = schema.get("x-hint").and_then(Value::as_str);
            self.wrong(span, what, advice.map(str::to_owned).or(meant).unwrap_or_default());
            return false;
        }
        match value.get_mut() {
            DeValue::Table(table) => {
                // A `[table]` spans its whole body; an inline one stands after its key.
                let header = if span.start < key.start { span } else { key };
                self.table(table, header, schema, path);
                true
            }
            DeValue::Array(items) => self.items(items, span, schema, path),
            DeValue::String(text) => self.text(text, span, (schema, meant), path),
            DeValue::Integer(number) => {
                let number = i128::from_str_radix(number.as_str(), number.radix()).ok();
                self.number(number, span, (schema, meant), path)
            }
            _ => true,
        }
    }

    fn items<'i>(&mut self, items: &mut DeArray<'i>, span: Range<usize>, schema: &'a Value, path: &str) -> bool {
        if items.is_empty() && schema.get("minItems").is_some() {
            self.wrong(span, format!("`{}` must not be empty", last(path)), "leave it out for what is usual");
            return false;
        }
        let Some(of) = schema.get("items") else { return true };
        let mut kept = DeArray::new();
        let mut all = true;
        for mut item in std::mem::replace(items, DeArray::new()) {
            let header = item.span();
            let path = if item.get_ref().is_table() { format!("[{path}]") } else { path.to_owned() };
            if self.value(&mut item, header, of, &path) {
                kept.push(item);
            } else {
                all = false;
            }
        }
        let any = !kept.is_empty();
        *items = kept;
        all || any
    }

    fn text(&mut self, text: &str, span: Range<usize>, of: Meant<'a>, path: &str) -> bool {
        let (schema, meant) = of;
        if let Some(control) = text.chars().find(|letter| letter.is_control()) {
            let what = format!("`{}` has the control character U+{:04X} in it", last(path), u32::from(control));
            self.wrong(span, what, "write it on one line, without tabs");
            return false;
        }
        if text.trim().is_empty() && schema.get("minLength").is_some() {
            self.wrong(span, format!("`{}` must not be empty", last(path)), meant.unwrap_or_default());
            return false;
        }
        let named = named_values(schema);
        if !named.is_empty() && !named.contains(&text) {
            let hint = hint::for_unknown(text, "values", named);
            self.wrong(span, format!("unknown value `{}` for `{}`", shown(text), last(path)), hint);
            return false;
        }
        true
    }

    fn number(&mut self, number: Option<i128>, span: Range<usize>, of: Meant<'a>, path: &str) -> bool {
        let (schema, meant) = of;
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64).map(i128::from);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let inside = |number: i128| least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
        if number.is_some_and(inside) {
            return true;
        }
        let number = number.map(|number| format!(", not `{number}`")).unwrap_or_default();
        let bounds = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("{least} or more"),
            _ => "smaller".to_owned(),
        };
        self.wrong(span, format!("`{}` must be {bounds}{number}", last(path)), meant.unwrap_or_default());
        false
    }
}

/// The keys that a table must have, each with its schema.
fn required<'a>(
    schema: &'a Value,
    properties: Option<&'a serde_json::Map<String, Value>>,
) -> impl Iterator<Item = (&'a str, Option<&'a Value>)> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(move |name| (name, properties.and_then(|known| known.get(name))))
}

/// The values that a text may have, as the variants of an enum; empty when it may have any.
fn named_values(schema: &Value) -> Vec<&str> {
    let plain = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let described = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    plain.chain(described.filter_map(|choice| choice.get("const"))).filter_map(Value::as_str).collect()
}

/// What a key means: its description's first sentence, as a hint is written.
fn meaning(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    let text = text.split_once(".\n").map_or(text, |(first, _)| first).trim_end_matches('.');
    let (first, rest) = text.split_at(text.chars().next()?.len_utf8());
    let is_word = !rest.starts_with(char::is_uppercase);
    Some(if is_word { first.to_lowercase() + rest } else { text.to_owned() })
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "date-time",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "number" => "a decimal number",
        "boolean" => "`true` or `false`",
        "date-time" => "a date or time",
        "array" => "a list",
        _ => "a table",
    }
}

fn inside(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in `[{path}]`") }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A foreign word in a message: on one line, and not longer than a line.
fn shown(word: &str) -> String {
    crate::base::short_name(&crate::base::header_text(word), 60)
}
