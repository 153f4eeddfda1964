//! What is wrong with a configuration, where, and how to mend it.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::source::{Place, Source};
use crate::base::{plain_text, short_name};

/// How many errors are kept and shown; those beyond are counted.
pub const ERRORS_MAX: usize = 50;

/// The longest message or hint; a longer one is shortened in its middle.
const MESSAGE_CHARS_MAX: usize = 1000;

/// One thing that is wrong. Written `what at file:line:column` and, on a second line, `hint: …`.
#[derive(Clone, Debug)]
pub struct ConfigError {
    what: String,
    place: Option<Place>,
    hint: String,
}

/// Everything that is wrong, in the order of the files; at most [`ERRORS_MAX`], the rest counted.
#[derive(Clone, Debug, Default)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    n_more: usize,
}

impl ConfigError {
    /// An error at a place, with what to do about it (may be empty).
    pub fn new(what: impl Into<String>, place: Place, hint: impl Into<String>) -> ConfigError {
        ConfigError { place: Some(place), ..ConfigError::of_file(what, hint) }
    }

    /// An error about a whole file, which `what` names, or about none.
    pub fn of_file(what: impl Into<String>, hint: impl Into<String>) -> ConfigError {
        // Values of the file are part of both: no longer than a few lines, and nothing that a terminal would obey.
        let plain = |text: String| short_name(&plain_text(&text), MESSAGE_CHARS_MAX);
        ConfigError { what: plain(what.into()), place: None, hint: plain(hint.into()) }
    }

    /// The same with another hint, if it is about a whole file.
    pub(super) fn or_hint(self, hint: &str) -> ConfigError {
        if self.place.is_some() { self } else { ConfigError { hint: hint.to_owned(), ..self } }
    }

    /// What is wrong, and where: the first line of the message.
    pub fn first_line(&self) -> String {
        match &self.place {
            Some(place) => format!("{} at {place}", self.what),
            None => self.what.clone(),
        }
    }

    /// What to do about it; may be empty.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// For a terminal: the message, the lines around the place with a caret, and the hint.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
        let mut text = String::new();
        // Writing to a text fails only if miette cannot read the span; then the plain message has to do.
        if handler.render_report(&mut text, &View(self)).is_err() {
            return format!("{self}\n");
        }
        let mut text = text.trim_end().to_owned();
        if !self.hint.is_empty() {
            let (on, off) = if colour { ("\u{1b}[36m", "\u{1b}[0m") } else { ("", "") };
            text.push_str(&format!("\n  {on}hint:{off} {}", self.hint));
        }
        text.push('\n');
        text
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first_line())?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\nhint: {}", self.hint) }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigErrors {
    /// Notes one more.
    pub fn add(&mut self, error: ConfigError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        } else {
            self.n_more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// How many there are, those that are only counted included.
    pub fn n(&self) -> usize {
        self.errors.len() + self.n_more
    }

    /// Those that were kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }

    /// For a terminal: each with its caret view and hint, and how many there are.
    pub fn render(&self, colour: bool) -> String {
        let mut text: String = self.errors.iter().map(|error| error.render(colour) + "\n").collect();
        text.push_str(&self.count());
        text.push('\n');
        text
    }

    /// Whether one of them lies in a source.
    pub(super) fn any_in(&self, source: &Arc<Source>) -> bool {
        self.errors.iter().any(|error| error.place.as_ref().is_some_and(|place| place.is_in(source)))
    }

    /// Nothing wrong, or these in order: by source as they were read, in each by place.
    pub(super) fn into_result(mut self) -> Result<(), ConfigErrors> {
        if self.is_empty() {
            return Ok(());
        }
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for place in self.errors.iter().filter_map(|error| error.place.as_ref()) {
            if !sources.iter().any(|source| place.is_in(source)) {
                sources.push(Arc::clone(place.source()));
            }
        }
        self.errors.sort_by_key(|error| match &error.place {
            Some(place) => (sources.iter().position(|source| place.is_in(source)), place.span().start),
            None => (Some(sources.len()), 0),
        });
        Err(self)
    }

    fn count(&self) -> String {
        match (self.n(), self.n_more) {
            (1, _) => "1 error".to_owned(),
            (n, 0) => format!("{n} errors"),
            (n, more) => format!("{n} errors, {more} of them not shown"),
        }
    }
}

/// Every error with its hint, without the lines of the file; for logs.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            let line_end = if n == 0 { "" } else { "\n" };
            write!(f, "{line_end}{error}")?;
        }
        if self.n_more > 0 { write!(f, "\n{}", self.count()) } else { Ok(()) }
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> ConfigErrors {
        ConfigErrors { errors: vec![error], n_more: 0 }
    }
}

/// An error as miette draws it. The hint is left out: miette would call it *help*.
struct View<'a>(&'a ConfigError);

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.first_line())
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl std::error::Error for View<'_> {}

impl Diagnostic for View<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        let place = self.0.place.as_ref().filter(|place| place.can_be_shown())?;
        Some(&**place.source() as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.0.place.as_ref().filter(|place| place.can_be_shown())?.span();
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, span.clone()))))
    }
}
