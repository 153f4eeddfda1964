//! Texts that were read, and places in them.

use std::fmt;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::{ConfigError, hint};

/// The largest configuration, template or recipients file that is read: 64 MiB.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// The longest line that a caret view shows.
const SHOWN_LINE_BYTES_MAX: usize = 1000;

/// A text with the name it goes by in messages. What stands where a secret belongs is masked.
pub struct Source {
    name: String,
    shown: String,
    line_starts: Vec<usize>,
}

/// A piece of a source. Written `pressrun.toml:12:8`; lines and columns count from 1, columns in characters.
#[derive(Clone)]
pub struct Place {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Source {
    /// A source of that name and text.
    pub fn new(name: impl Into<String>, text: &str) -> Arc<Source> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(n, _)| n + 1);
        let line_starts = std::iter::once(0).chain(ends).collect();
        Arc::new(Source { name: name.into(), shown: masked(&inert(text)), line_starts })
    }

    /// A place in it; a span of several lines is cut after its first.
    pub fn place(self: &Arc<Source>, span: Range<usize>) -> Place {
        let start = self.floor(span.start);
        let line = self.line_of(start);
        let line_end = self.line_starts.get(line + 1).map_or(self.shown.len(), |next| next - 1);
        let line_end = start + self.shown[start..line_end.max(start)].trim_end_matches('\r').len();
        let end = self.floor(span.end).clamp(start, line_end);
        Place { source: Arc::clone(self), span: start..end }
    }

    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.shown.len());
        while !self.shown.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at).saturating_sub(1)
    }
}

impl Place {
    /// Whether it is a place of that source.
    pub(super) fn is_in(&self, source: &Arc<Source>) -> bool {
        Arc::ptr_eq(&self.source, source)
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(super) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Whether its line and those beside it are short enough to be shown.
    pub(super) fn can_be_shown(&self) -> bool {
        let starts = &self.source.line_starts;
        let line = self.source.line_of(self.span.start);
        let ends = (line.saturating_sub(1)..=line + 1).filter_map(|line| {
            let end = starts.get(line + 1).copied().unwrap_or(self.source.shown.len());
            Some(end - starts.get(line)?)
        });
        ends.max().is_some_and(|bytes| bytes <= SHOWN_LINE_BYTES_MAX)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.source.line_of(self.span.start);
        let column = self.source.shown[self.source.line_starts[line]..self.span.start].chars().count();
        write!(f, "{}:{}:{}", self.source.name, line + 1, column + 1)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.shown.as_str().read_span(span, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            read.data(),
            *read.span(),
            read.line(),
            read.column(),
            read.line_count(),
        )))
    }
}

/// Reads a text file of at most [`FILE_BYTES_MAX`], without its byte order mark.
///
/// # Errors
/// When it cannot be read, is too large, or is not UTF-8 (with the place of the first wrong byte).
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    let name = path.display();
    let unreadable = |error: &std::io::Error| {
        ConfigError::of_file(format!("cannot read `{name}`: {}", reason(error)), hint_for(error))
    };
    let bytes = read_bytes(path, FILE_BYTES_MAX).map_err(|error| unreadable(&error))?.ok_or_else(|| {
        let what = format!("`{name}` has more than {FILE_BYTES_MAX} bytes");
        ConfigError::of_file(what, "is it the right file?")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let place = Source::new(name.to_string(), &start).place(at..at);
        ConfigError::new("the text is not UTF-8", place, "save the file as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The bytes of a file; none when it has more than `max`. A device or pipe says no size, so they are counted.
pub(super) fn read_bytes(path: &Path, max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// Why a file could not be read, in words without the system's number.
pub(super) fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

pub(super) fn hint_for(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "paths in the configuration count from its own folder",
        std::io::ErrorKind::PermissionDenied => "let the user who runs pressrun read it",
        _ => hint::NONE,
    }
}

/// The text with what a terminal would obey, control characters and direction overrides, replaced byte for byte.
fn inert(text: &str) -> String {
    let mut buffer = [0; 4];
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let obeyed = crate::base::plain_text(letter.encode_utf8(&mut buffer)).is_empty();
        if obeyed && !matches!(letter, '\n' | '\r' | '\t') {
            shown.extend(std::iter::repeat_n('?', letter.len_utf8()));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// The text with every literal that is given for a `password` replaced by stars, byte for byte.
///
/// Secrets are refused in the file, and a view of the refused line must not print them. It works on the text,
/// since a file that does not parse is shown as well.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("password") {
        let (before, after) = rest.split_at(at + "password".len());
        shown.push_str(before);
        rest = after;
        let Some(literal) = literal_after_equals(rest) else { continue };
        let (before, from) = rest.split_at(literal.start);
        let (secret, after) = from.split_at(literal.len());
        shown.push_str(before);
        shown.extend(secret.chars().flat_map(|letter| {
            let kept = matches!(letter, '\n' | '\r');
            std::iter::repeat_n(if kept { letter } else { '*' }, letter.len_utf8())
        }));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// The inside of the literal in ` = "literal"`, or up to the line's end when nothing closes it.
fn literal_after_equals(text: &str) -> Option<Range<usize>> {
    let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t', '"', '\'']).len();
    let equals = blank(text);
    let value = text[equals..].strip_prefix('=')?;
    let start = equals + 1 + (value.len() - value.trim_start_matches([' ', '\t']).len());
    let value = &text[start..];
    if value.starts_with(['{', '\n', '\r', '#']) || value.is_empty() {
        return None;
    }
    let line_end = value.find(['\n', '\r']).unwrap_or(value.len());
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        let Some(inside) = value.strip_prefix(quote) else { continue };
        let inside_start = start + quote.len();
        let end = closing(inside, quote).unwrap_or(if quote.len() == 3 { inside.len() } else { line_end - 1 });
        return Some(inside_start..inside_start + end);
    }
    Some(start..start + line_end)
}

/// Where a literal ends: at its quote, not at one behind a backslash; a plain one ends on its line.
fn closing(inside: &str, quote: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + inside[from..].find(quote)?;
        if quote.len() == 1 && inside[..at].contains('\n') {
            return None;
        }
        let n_slashes = inside[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if quote.starts_with('\'') || n_slashes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_line_and_column_in_characters() {
        let source = Source::new("a.toml", "x = 1\r\nä = \"ö\" # y\n");
        let at = |needle: &str| source.place(source.shown.find(needle).unwrap()..source.shown.len()).to_string();
        assert_eq!(at("x"), "a.toml:1:1");
        assert_eq!(at("ä"), "a.toml:2:1");
        assert_eq!(at("\"ö"), "a.toml:2:5");
        assert_eq!(source.place(999..1000).to_string(), "a.toml:3:1");
        assert_eq!(Source::new("e", "").place(0..0).to_string(), "e:1:1");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        assert_eq!(inert("a\u{1b}[2J\u{202e}b\u{9b}\tc\r\n"), "a?[2J???b??\tc\r\n");
    }

    #[test]
    fn literal_passwords_are_masked_and_references_are_not() {
        for (text, shown) in [
            ("password = \"geheim\"\nhost = \"h\"", "password = \"******\"\nhost = \"h\""),
            ("password='geheim' # x", "password='******' # x"),
            ("relay = { password = \"a\\\"b\", port = 1 }", "relay = { password = \"****\", port = 1 }"),
            ("password = \"geheim\nhost = \"h\"", "password = \"******\nhost = \"h\""),
            ("password = \"\"\"ge\nheim\"\"\"\nx = 1", "password = \"\"\"**\n****\"\"\"\nx = 1"),
            ("password = geheim\nx = 1", "password = ******\nx = 1"),
            ("\"password\" = \"gä\"", "\"password\" = \"***\""),
            ("password = { env = \"SMTP\" }", "password = { env = \"SMTP\" }"),
            ("password = ", "password = "),
        ] {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(text).len(), text.len());
        }
    }
}
