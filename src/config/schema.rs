//! The JSON Schema of each TOML file: editors complete by it, and `keys` checks by it.

use std::sync::LazyLock;

use serde_json::Value;

use super::raw::{RawConfig, RawRoles, RawTemplate};

/// The schema of `pressrun.toml`.
pub(super) static CONFIG: LazyLock<Value> = LazyLock::new(schema_of::<RawConfig>);
/// The schema of a report's `report.toml`.
pub(super) static TEMPLATE: LazyLock<Value> = LazyLock::new(schema_of::<RawTemplate>);
/// The schema of a report's `roles.toml`.
pub(super) static ROLES: LazyLock<Value> = LazyLock::new(schema_of::<RawRoles>);

/// The JSON Schema of `pressrun.toml`, as `config/pressrun.schema.json` has it.
pub fn json_schema() -> String {
    // A `Value` with texts as keys always serializes.
    let text = serde_json::to_string_pretty(&*CONFIG).unwrap_or_default();
    text + "\n"
}

fn schema_of<T: schemars::JsonSchema>() -> Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    without_null(schema.ensure_object().values_mut());
    schema.to_value()
}

/// TOML has no null: a key that may be left out is told by `required` alone.
fn without_null<'a>(values: impl Iterator<Item = &'a mut Value>) {
    for value in values {
        match value {
            Value::Object(object) => {
                if let Some(Value::Array(kinds)) = object.get_mut("type") {
                    kinds.retain(|kind| kind != "null");
                    if let [kind] = kinds.as_slice() {
                        let kind = kind.clone();
                        object.insert("type".to_owned(), kind);
                    }
                }
                if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                    choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
                    if let [Value::Object(choice)] = choices.as_mut_slice() {
                        let choice = std::mem::take(choice);
                        object.remove("anyOf");
                        object.extend(choice);
                    }
                }
                without_null(object.values_mut());
            }
            Value::Array(items) => without_null(items.iter_mut()),
            _ => {}
        }
    }
}
