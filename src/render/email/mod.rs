//! A report → the subject and the bodies of its mail, by templates that an admin may change.

mod templates;
#[cfg(test)]
mod tests;
mod view;

pub use templates::MailTemplates;

use super::RenderError;
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
}

/// Writes the mail of a report that goes with these files, each given by name and size in bytes.
///
/// # Errors
/// [`RenderError::Template`] with the template's file and line.
pub fn compose(
    report: &Report,
    templates: &MailTemplates,
    attachments: &[(&str, u64)],
) -> Result<MailBody, RenderError> {
    let [subject, text, html] = templates.render(&view::view(report, attachments))?;
    let ended = |body: &str| format!("{}\n", body.trim_end());
    Ok(MailBody { subject: header_text(&subject), text: ended(&text), html: ended(&html) })
}
