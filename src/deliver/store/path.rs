//! Names in a store: a template with a closed set of fields, under which two editions never meet.

use std::ops::Range;

use object_store::path::Path;
use serde::{Serialize, Serializer};

use super::super::ParcelEdition;
use crate::base::{Digest, file_name, readable_name};

/// The longest name of an object: S3's, in bytes; Azure's is in characters.
const NAME_BYTES_MAX: usize = 1024;

/// The longest part between two `/`: what file systems hold, in bytes.
const PART_BYTES_MAX: usize = 255;

/// What may stand between fields besides letters and digits: signs that every store takes as they are.
pub const STORE_TEXT_CHARS: &str = "-_.+=,@";

/// Where an edition's files stand in a store, as in `{schedule}/{period}/{partner_id}/{audience}/{revision}/{file}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathTemplate {
    written: String,
    parts: Vec<Vec<Piece>>,
}

/// What is wrong with a template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}; hint: {hint}")]
pub struct PathTemplateError {
    /// Where in the template, in bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String, Range<usize>),
    Field(Field, Range<usize>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Schedule,
    Period,
    PartnerId,
    Partner,
    Role,
    Audience,
    Revision,
    Edition,
    File,
}

impl Field {
    const ALL: [Field; 9] = [
        Field::Schedule,
        Field::Period,
        Field::PartnerId,
        Field::Partner,
        Field::Role,
        Field::Audience,
        Field::Revision,
        Field::Edition,
        Field::File,
    ];

    /// Those that together are an edition's key: all of them, or its id, tell it from every other.
    const KEY: [Field; 5] = [Field::Schedule, Field::Period, Field::PartnerId, Field::Audience, Field::Revision];

    fn word(self) -> &'static str {
        match self {
            Field::Schedule => "{schedule}",
            Field::Period => "{period}",
            Field::PartnerId => "{partner_id}",
            Field::Partner => "{partner}",
            Field::Role => "{role}",
            Field::Audience => "{audience}",
            Field::Revision => "{revision}",
            Field::Edition => "{edition}",
            Field::File => "{file}",
        }
    }

    /// Whether a value of it may have that character.
    fn may_have(self, letter: char) -> bool {
        match self {
            Field::Period => letter.is_ascii_digit() || matches!(letter, '-' | 'Q'),
            Field::Revision => letter.is_ascii_digit(),
            Field::Edition => matches!(letter, '0'..='9' | 'a'..='f'),
            _ => letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '~'),
        }
    }

    fn value(self, edition: &ParcelEdition, file: &str) -> String {
        match self {
            Field::Schedule => file_name(&edition.schedule),
            Field::Period => edition.period.to_string(),
            Field::PartnerId => file_name(&edition.partner_id),
            Field::Partner => file_name(&edition.partner_name),
            Field::Role => file_name(&edition.role),
            Field::Audience => file_name(&edition.audience),
            Field::Revision => edition.revision.to_string(),
            Field::Edition => edition.id.to_string(),
            Field::File => safe_file(file),
        }
    }
}

impl PathTemplate {
    /// The archive's own order of folders.
    pub const DEFAULT: &str = "{schedule}/{period}/{partner_id}/{audience}/{revision}/{file}";

    /// Reads a template.
    ///
    /// # Errors
    /// The first thing that is wrong with it: an unknown field, a sign that not every store takes, fields that cannot
    /// be told apart, or one that is missing, so that two editions could meet at one name.
    pub fn parse(written: &str) -> Result<PathTemplate, PathTemplateError> {
        let mut parts = Vec::new();
        let mut start = 0;
        for part in written.split('/') {
            let pieces = pieces(part, start)?;
            check_part(part, &pieces, start)?;
            parts.push(pieces);
            start += part.len() + 1;
        }
        let template = PathTemplate { written: written.to_owned(), parts };
        template.check_fields()?;
        Ok(template)
    }

    /// As it is written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Where a file of an edition stands, below `prefix` if there is one.
    pub(super) fn object(&self, prefix: Option<&str>, edition: &ParcelEdition, file: &str) -> Result<Path, String> {
        let part = |pieces: &Vec<Piece>| -> String {
            let text = |piece: &Piece| match piece {
                Piece::Text(text, _) => text.clone(),
                Piece::Field(field, _) => field.value(edition, file),
            };
            pieces.iter().map(text).collect()
        };
        let parts: Vec<String> = prefix.map(str::to_owned).into_iter().chain(self.parts.iter().map(part)).collect();
        let name = parts.join("/");
        if let Some(long) = parts.iter().find(|part| part.len() > PART_BYTES_MAX && !part.contains('/')) {
            return Err(format!("`{long}` is longer than {PART_BYTES_MAX} bytes, which file systems do not hold"));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(format!("`{name}` is longer than {NAME_BYTES_MAX} bytes, which stores do not hold"));
        }
        Path::parse(&name).map_err(|error| format!("`{name}` cannot be a name in a store: {error}"))
    }

    fn fields(&self) -> impl Iterator<Item = Field> {
        self.parts.iter().flatten().filter_map(|piece| match piece {
            Piece::Field(field, _) => Some(*field),
            Piece::Text(..) => None,
        })
    }

    fn check_fields(&self) -> Result<(), PathTemplateError> {
        let has = |field: Field| self.fields().any(|one| one == field);
        let lacks = |field: Field, hint: &str| {
            let what = format!("`{}` is missing in `{}`", field.word(), self.written);
            Err(PathTemplateError { at: 0..self.written.len(), what, hint: hint.to_owned() })
        };
        if !has(Field::File) {
            return lacks(Field::File, "an edition has several files, each with a name of its own");
        }
        if has(Field::Edition) {
            return Ok(());
        }
        match Field::KEY.into_iter().find(|field| !has(*field)) {
            None => Ok(()),
            Some(field) => {
                let key = Field::KEY.map(Field::word).join(", ");
                let hint =
                    format!("two editions would meet at one name; name {key}, or `{{edition}}`, the report's id");
                lacks(field, &hint)
            }
        }
    }
}

/// As it is written.
impl Serialize for PathTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// The texts and fields of one part, whose place in the template is known.
fn pieces(part: &str, start: usize) -> Result<Vec<Piece>, PathTemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < part.len() {
        let rest = &part[at..];
        let length = match rest.strip_prefix('{') {
            Some(inner) => {
                let length = inner.find('}').map_or(rest.len(), |end| end + 2);
                let word = &rest[..length];
                let known = Field::ALL.into_iter().find(|field| field.word() == word);
                let place = start + at..start + at + length;
                let field = known.ok_or_else(|| unknown(word, place.clone()))?;
                pieces.push(Piece::Field(field, place));
                length
            }
            None => {
                let length = rest.find('{').unwrap_or(rest.len());
                let text = &rest[..length];
                let place = start + at..start + at + length;
                if let Some((n, odd)) = text.char_indices().find(|(_, letter)| !is_text(*letter)) {
                    let place = place.start + n..place.start + n + odd.len_utf8();
                    return Err(wrong(
                        place,
                        format!("`{}` cannot stand in a path of a store", odd.escape_default()),
                        format!("letters, digits, `{STORE_TEXT_CHARS}`, `/`, and fields in `{{` and `}}`"),
                    ));
                }
                pieces.push(Piece::Text(text.to_owned(), place));
                length
            }
        };
        at += length;
    }
    Ok(pieces)
}

fn unknown(word: &str, at: Range<usize>) -> PathTemplateError {
    let known = Field::ALL.map(|field| format!("`{}`", field.word())).join(", ");
    wrong(at, format!("unknown field `{}`", word.escape_default()), format!("known fields: {known}"))
}

fn wrong(at: Range<usize>, what: String, hint: String) -> PathTemplateError {
    PathTemplateError { at, what, hint }
}

fn is_text(letter: char) -> bool {
    letter.is_alphanumeric() || STORE_TEXT_CHARS.contains(letter)
}

/// Whether a text can stand in a path of a store as it is: parts that are not empty, not hidden, and no `..`.
pub fn is_store_text(text: &str) -> bool {
    text.len() <= PART_BYTES_MAX
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_text))
}

/// One part between two `/`: not empty, not hidden, and its fields can be told apart, so that values never run together.
fn check_part(part: &str, pieces: &[Piece], start: usize) -> Result<(), PathTemplateError> {
    let place = start..start + part.len();
    if part.is_empty() {
        return Err(wrong(place, "a part of the path is empty".to_owned(), "take one `/` out".to_owned()));
    }
    if part.starts_with('.') {
        let hint = "`.`, `..` and hidden files are no places for editions".to_owned();
        return Err(wrong(place, format!("`{part}` begins with a dot"), hint));
    }
    // What stands between each field and the next. From the left a field ends with the first sign that it cannot have,
    // from the right likewise: somewhere the two must meet.
    let fields: Vec<(usize, Field)> = pieces
        .iter()
        .enumerate()
        .filter_map(|(n, piece)| match piece {
            Piece::Field(field, _) => Some((n, *field)),
            Piece::Text(..) => None,
        })
        .collect();
    let between = |pair: &[(usize, Field)]| match pieces.get(pair[0].0 + 1) {
        Some(Piece::Text(text, place)) => (text.clone(), place.clone()),
        Some(Piece::Field(_, place)) => (String::new(), place.clone()),
        None => (String::new(), start..start),
    };
    let ends = |pair: &[(usize, Field)]| between(pair).0.chars().next().is_some_and(|sign| !pair[0].1.may_have(sign));
    let begins = |pair: &[(usize, Field)]| between(pair).0.chars().last().is_some_and(|sign| !pair[1].1.may_have(sign));
    let pairs: Vec<&[(usize, Field)]> = fields.windows(2).collect();
    let from_left = pairs.iter().take_while(|pair| ends(pair)).count();
    match pairs[from_left..].iter().find(|pair| !begins(pair)) {
        None => Ok(()),
        Some(pair) => {
            let (first, second) = (pair[0].1.word(), pair[1].1.word());
            let what = format!("`{first}` and `{second}` cannot be told apart: their values may run together");
            Err(wrong(between(pair).1, what, "put `/` or one of `+=,@` between them".to_owned()))
        }
    }
}

/// A file's name that is safe in a path and keeps its ending; changed ones are told apart by a digest.
fn safe_file(name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let (safe_stem, safe_ending) = (readable_name(stem), readable_name(ending));
    if ending.is_empty() {
        return file_name(name);
    }
    if safe_stem == stem && safe_ending == ending {
        return name.to_owned();
    }
    format!("{safe_stem}~{}.{safe_ending}", &Digest::of(name.as_bytes()).to_string()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::mime::tests::parcel;

    fn refused(template: &str) -> (String, String) {
        let error = PathTemplate::parse(template).unwrap_err();
        (template[error.at.clone()].to_owned(), error.what)
    }

    fn path(template: &str, edition: &ParcelEdition, file: &str) -> String {
        PathTemplate::parse(template).unwrap().object(None, edition, file).unwrap().to_string()
    }

    #[test]
    fn an_edition_has_a_name_of_its_fields() {
        let edition = parcel("a@example.com").edition.unwrap();
        assert_eq!(
            path(PathTemplate::DEFAULT, &edition, "Licenses_2026-10.pdf"),
            "monthly/2026-10/1234566/report-viewer.en/1/Licenses_2026-10.pdf"
        );
        let id = edition.id.to_string();
        let named = path("of={period},{partner}/{edition}-{file}", &edition, "a.pdf");
        let digest = Digest::of("Größe GmbH".as_bytes()).to_string();
        assert_eq!(named, format!("of=2026-10,Größe-GmbH~{}/{id}-a.pdf", &digest[..8]));
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        let (at, what) = refused("{schedule}/{period}/{audience}/{revision}/{file}");
        assert!(what.starts_with("`{partner_id}` is missing") && at.starts_with("{schedule}"), "{what}");
        for (lacking, field) in [
            ("{period}/{partner_id}/{audience}/{revision}/{file}", "{schedule}"),
            ("{schedule}/{partner_id}/{audience}/{revision}/{file}", "{period}"),
            ("{schedule}/{period}/{partner_id}/{role}/{revision}/{file}", "{audience}"),
            ("{schedule}/{period}/{partner_id}/{audience}/{file}", "{revision}"),
            ("{schedule}/{period}/{partner_id}/{audience}/{revision}", "{file}"),
            ("{edition}", "{file}"),
        ] {
            assert!(refused(lacking).1.starts_with(&format!("`{field}` is missing")), "{lacking}");
        }
        assert!(PathTemplate::parse("{edition}/{file}").is_ok());
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_place() {
        for (template, at, what) in [
            ("{edition}/{fiel}", "{fiel}", "unknown field `{fiel}`"),
            ("{edition}/{file", "{file", "unknown field `{file`"),
            ("a b/{edition}/{file}", " ", "` ` cannot stand in a path of a store"),
            ("a\\b/{edition}/{file}", "\\", "`\\\\` cannot stand in a path of a store"),
            ("x}/{edition}/{file}", "}", "`}` cannot stand in a path of a store"),
            ("{edition}/../{file}", "..", "`..` begins with a dot"),
            ("/{edition}/{file}", "", "a part of the path is empty"),
            ("{edition}//{file}", "", "a part of the path is empty"),
            ("{edition}/{file}/", "", "a part of the path is empty"),
            ("", "", "a part of the path is empty"),
        ] {
            assert_eq!(refused(template), (at.to_owned(), what.to_owned()), "{template}");
        }
    }

    #[test]
    fn fields_whose_values_may_run_together_are_refused() {
        for template in [
            "{edition}/{schedule}{file}",
            "{edition}/{schedule}-{file}",
            "{edition}/{partner_id}-{period}/{file}",
            "{edition}/{partner_id}-{period}-{file}",
        ] {
            assert!(refused(template).1.contains("cannot be told apart"), "{template}");
        }
        for template in [
            "{edition}-{file}",
            "{edition}/{period}_{file}",
            "{edition}/{schedule}+{file}",
            "{edition}/{partner_id}_{period}",
            "{edition}/{period}_{partner_id}_{revision}/{file}",
        ] {
            let parsed = PathTemplate::parse(&format!("{template}/{{file}}"));
            assert!(parsed.is_ok(), "{template}: {parsed:?}");
        }
    }

    #[test]
    fn hostile_values_never_leave_their_place() {
        let mut edition = parcel("a@example.com").edition.unwrap();
        let hostile = ["../../etc/passwd", "a/b", "..", ".", "", "a\\b", "a\0b", "a\nb", "%2e%2e%2f", "~", "C:"];
        let mut names = std::collections::BTreeSet::new();
        for value in hostile {
            (edition.partner_id, edition.partner_name) = (value.to_owned(), value.to_owned());
            edition.audience = value.to_owned();
            let template = "{schedule}/{period}/{partner_id}/{partner}/{audience}/{revision}/{file}";
            let name = path(template, &edition, value);
            assert_eq!(name.split('/').count(), 7, "{name}");
            assert!(name.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{name}");
            assert!(!name.contains(|letter: char| letter.is_control() || "\\:%".contains(letter)), "{name}");
            assert!(names.insert(name.to_lowercase()), "{name} stands for two");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_refused_in_words() {
        let mut edition = parcel("a@example.com").edition.unwrap();
        (edition.partner_id, edition.partner_name) = ("長".repeat(300), "長".repeat(300));
        let template = PathTemplate::parse("{edition}/{partner_id}+{partner}/{file}").unwrap();
        assert!(template.object(None, &edition, "a.pdf").unwrap_err().contains("longer than 255 bytes"));
        let long = PathTemplate::parse(&format!("{}{{edition}}/{{file}}", "a-long-folder/".repeat(75))).unwrap();
        assert!(long.object(None, &edition, "a.pdf").unwrap_err().contains("longer than 1024 bytes"));
    }
}
