//! A report → the subject and the bodies of its mail, by templates that an admin may change.

#[cfg(test)]
mod lint;
mod picture;
mod templates;
#[cfg(test)]
mod tests;
mod view;

pub use picture::Picture;
pub use templates::MailTemplates;

use super::{RenderError, Theme};
use crate::base::header_text;
use crate::report::Report;

/// The subject and the two bodies of a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailBody {
    /// The subject: one line.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML; it loads nothing from anywhere.
    pub html: String,
    /// The pictures that the HTML shows, which go with it.
    pub pictures: Vec<Picture>,
}

/// What of a mail is not the report's: what goes with it and what its recipient got before. The default is the mail
/// without anything, as it is the same for all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Letter<'a> {
    /// The files that go with it, by name and size in bytes.
    pub attached: &'a [(&'a str, u64)],
    /// The files that do not, since the mail would be too large, by name and size in bytes.
    pub left_out: &'a [(&'a str, u64)],
    /// The last edition that its recipient got before.
    pub since: Option<&'a Report>,
    /// Its Message-ID, by which its pictures are named. Without one it has none.
    pub message_id: Option<&'a str>,
}

/// Writes the mail of a report.
///
/// # Errors
/// [`RenderError::Template`] with the template's file and line.
pub fn compose(
    report: &Report,
    templates: &MailTemplates,
    theme: &Theme,
    letter: &Letter<'_>,
) -> Result<MailBody, RenderError> {
    let [subject, text, html] = templates.render(&view::view(report, theme, letter))?;
    let ended = |body: &str| format!("{}\n", body.trim_end());
    let pictures = picture::shown(report, theme, letter, &html);
    Ok(MailBody { subject: header_text(&subject), text: ended(&text), html: ended(&html), pictures })
}
