//! A report → the bytes of one format. Knows no database, clock, network, file system or configuration.

pub(crate) mod chart;
pub mod email;
mod pdf;
#[cfg(test)]
pub(crate) mod sample_map;
#[cfg(test)]
pub(crate) mod sample_report;
pub(crate) mod text;
mod theme;
mod xlsx;

use serde::{Deserialize, Serialize};

pub use pdf::{LOGO_BYTES_MAX, Logo, LogoError, Pdf};
pub use text::{FONT_BYTES_MAX, FontError, FontFile, FontSet};
pub use theme::{Colour, Paper, Theme, Themes};
pub use xlsx::Xlsx;

use crate::base::{Digest, file_name, readable_name};
use crate::report::{Report, Rows};

/// A file format that a schedule may ask for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A PDF, the first among a mail's attachments.
    Pdf,
    /// An Excel workbook.
    Xlsx,
}

impl Format {
    /// Every format, in the order in which they are attached.
    pub const ALL: [Format; 2] = [Format::Pdf, Format::Xlsx];

    /// The ending of its files, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Pdf => "pdf",
            Format::Xlsx => "xlsx",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Pdf => "application/pdf",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What is to be rendered.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The figures.
    pub report: &'a Report,
    /// The raw rows, if the report shows any.
    pub rows: Option<&'a dyn Rows>,
    /// The look.
    pub theme: &'a Theme,
}

/// Renders reports into one format: the same job, the same bytes, on any machine and in any order.
pub trait Renderer: Send + Sync {
    /// Its format.
    fn format(&self) -> Format;

    /// The file.
    ///
    /// # Errors
    /// When the report does not fit the format or the raw rows break off.
    fn render(&self, job: Job<'_>) -> Result<Rendered, RenderError>;
}

/// What a renderer made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// How many characters no font has: each is drawn as U+FFFD, wherever it stands. None in a workbook, whose reader
    /// brings the fonts.
    pub n_replaced: u32,
}

/// The renderer of a format.
pub fn renderer(format: Format) -> Box<dyn Renderer> {
    match format {
        Format::Pdf => Box::new(Pdf),
        Format::Xlsx => Box::new(Xlsx),
    }
}

/// The digest of the fonts that PDFs of a theme are set in.
pub fn fonts_digest(theme: &Theme) -> Digest {
    theme.fonts.digest()
}

/// One rendered file.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its format.
    pub format: Format,
    /// Its name for people, safe on every file system.
    pub file_name: String,
    /// Its bytes.
    pub bytes: bytes::Bytes,
    /// Their digest.
    pub digest: Digest,
    /// How many characters no font has.
    pub n_replaced: u32,
}

impl Artifact {
    /// Renders a job into a named file.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn of(job: Job<'_>, format: Format) -> Result<Artifact, RenderError> {
        let Rendered { bytes, n_replaced } = renderer(format).render(job)?;
        let head = &job.report.head;
        // The id tells partners apart whose names differ only in what a file name cannot hold.
        let partner = (readable_name(&head.partner_name), file_name(&head.partner_id));
        let stem = format!("product-licenses_{}_{}_{}", head.period, partner.0, partner.1);
        Ok(Artifact {
            format,
            file_name: format!("{stem}.{}", format.extension()),
            digest: Digest::of(&bytes),
            bytes: bytes.into(),
            n_replaced,
        })
    }
}

/// A report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The PDF library refused.
    #[error("pdf: {0}")]
    Pdf(String),
    /// The workbook library refused.
    #[error("workbook: {0}")]
    Workbook(String),
    /// The mail's template is wrong.
    #[error("mail template: {0}")]
    Template(String),
    /// The raw rows broke off.
    #[error(transparent)]
    Rows(#[from] crate::report::RowsError),
    /// The file could not be written.
    #[error("the file cannot be written: {0}")]
    Io(#[from] std::io::Error),
}
