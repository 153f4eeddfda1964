//! The templates of a mail, written in Jinja's language; a name that does not exist is an error, not a blank.

use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};

use super::RenderError;
use super::view::{self, View};

/// The files in a report's template folder, by which errors name them.
const FILES: [&str; 3] = ["email/subject.txt", "email/body.txt", "email/body.html"];

/// The sources of a mail's subject, text and HTML.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct MailTemplates {
    /// `email/subject.txt`.
    pub subject: String,
    /// `email/body.txt`.
    pub text: String,
    /// `email/body.html`; what it prints is escaped.
    pub html: String,
}

impl MailTemplates {
    /// Those that ship with the program.
    pub fn shipped() -> MailTemplates {
        MailTemplates {
            subject: include_str!("../../../report_templates/product-licenses/email/subject.txt").to_owned(),
            text: include_str!("../../../report_templates/product-licenses/email/body.txt").to_owned(),
            html: include_str!("../../../report_templates/product-licenses/email/body.html").to_owned(),
        }
    }

    /// Checks three sources: their syntax, and every name they use, by writing two mails of invented figures, one
    /// with all that a mail can hold and one with nothing.
    ///
    /// # Errors
    /// [`RenderError::Template`] with file and line.
    pub fn parse(subject: String, text: String, html: String) -> Result<MailTemplates, RenderError> {
        let templates = MailTemplates { subject, text, html };
        templates.render(&view::full_sample())?;
        templates.render(&view::bare_sample())?;
        Ok(templates)
    }

    /// Subject, text and HTML of one mail.
    pub(super) fn render(&self, view: &View) -> Result<[String; 3], RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // So that an error can show the words it means, in a release build too.
        environment.set_debug(true);
        let sources = [&self.subject, &self.text, &self.html];
        // Escaping follows the ending of the name: HTML for `.html`, none for `.txt`.
        let mut written = FILES
            .iter()
            .zip(sources)
            .map(|(file, source)| environment.render_named_str(file, source, Serde(view)).map_err(located));
        let mut next = || written.next().unwrap_or_else(|| Ok(String::new()));
        Ok([next()?, next()?, next()?])
    }
}

/// The error with its file and line, and with what lies beneath it.
fn located(error: Error) -> RenderError {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("{name}:{line}: "),
        (Some(name), None) => format!("{name}: "),
        _ => String::new(),
    };
    let named = || error.range().and_then(|range| error.template_source()?.get(range));
    let words = match error.detail().map(str::to_owned).or_else(|| named().map(|named| format!("`{named}`"))) {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    RenderError::Template(format!("{place}{words}"))
}
