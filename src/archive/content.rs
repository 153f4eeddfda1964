//! The files of a pack that no renderer makes: the report as values, its rows, the mail's bodies.

use bytes::Bytes;

use super::{Pack, PackFile};
use crate::render::Artifact;
use crate::render::email::MailBody;
use crate::report::Report;

/// The names of the files that stand beside the artifacts.
pub(super) const REPORT: &str = "report.json";
const TEXT: &str = "mail.txt";
const HTML: &str = "mail.html";
const SUBJECT: &str = "Subject: ";

impl Pack {
    /// The mail's subject and bodies, as they were archived; none when they are not there or not readable.
    pub fn mail(&self) -> Option<MailBody> {
        let text = self.text(TEXT)?.strip_prefix(SUBJECT)?;
        let (subject, text) = text.split_once("\n\n")?;
        let (subject, text, html) = (subject.to_owned(), text.to_owned(), self.text(HTML)?.to_owned());
        // What is the same for all recipients has no pictures: these are named by the mail they go with.
        Some(MailBody { subject, text, html, pictures: Vec::new() })
    }

    /// The report as values; none when it is not there or not readable.
    pub fn report(&self) -> Option<Report> {
        serde_json::from_str(self.text(REPORT)?).ok()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.name == name)?;
        std::str::from_utf8(&file.bytes).ok()
    }
}

impl PackFile {
    /// A rendered file under its human name.
    pub fn artifact(artifact: &Artifact) -> PackFile {
        let Artifact { format, file_name, bytes, .. } = artifact;
        PackFile { name: file_name.clone(), media_type: format.media_type().to_owned(), bytes: bytes.clone() }
    }

    /// `report.json`: the report as values, from which every artifact but the raw rows can be made again.
    ///
    /// # Errors
    /// When the report cannot be written as JSON.
    pub fn report(report: &Report) -> Result<PackFile, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(report)?;
        bytes.push(b'\n');
        Ok(PackFile { name: REPORT.into(), media_type: "application/json".into(), bytes: bytes.into() })
    }

    /// `rows.csv.zst`: the raw rows under the canonical names of their columns, as they were spooled (RFC 4180,
    /// compressed by zstd). Values stand as they are, for machines: `2026-10`, `10185.5`; what is absent is empty.
    pub fn rows(bytes: Vec<u8>) -> PackFile {
        PackFile { name: "rows.csv.zst".into(), media_type: "application/zstd".into(), bytes: bytes.into() }
    }

    /// `mail.txt`, which begins with the subject, and `mail.html`: the same for every recipient.
    pub fn mail(mail: &MailBody) -> [PackFile; 2] {
        let file = |name: &str, media_type: &str, text: String| PackFile {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: Bytes::from(text),
        };
        [
            file(TEXT, "text/plain; charset=utf-8", format!("{SUBJECT}{}\n\n{}", mail.subject, mail.text)),
            file(HTML, "text/html; charset=utf-8", mail.html.clone()),
        ]
    }
}

impl std::fmt::Debug for PackFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.name, self.media_type, self.bytes.len())
    }
}
