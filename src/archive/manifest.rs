//! `edition.json`: what a pack is, and the digests that prove it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ArchiveError, PackFile, PackKey};
use crate::base::{Digest, EditionId, Period};

/// The name of a manifest in its pack's folder.
pub const MANIFEST_NAME: &str = "edition.json";

/// The version of the manifest's form that this program writes and reads.
const SCHEMA: u32 = 1;

/// What a pack is: enough to prove it years later, and no address, no customer's name, no time of execution.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of its form: 1.
    pub schema: u32,
    /// The edition's id, printed as *Report ID*.
    pub edition: EditionId,
    /// Printed as *Revision*; the key's number.
    pub revision: u32,
    /// The edition that this one corrects or makes again.
    pub supersedes: Option<EditionId>,
    /// The report's name, as in `product-licenses`.
    pub report: String,
    /// The schedule's name.
    pub schedule: String,
    /// What it is about.
    pub period: Period,
    /// The partner's id.
    pub partner_id: String,
    /// Who it is for.
    pub audience: ManifestAudience,
    /// The data set it is made of, as the facts describe it.
    pub data_set: serde_json::Value,
    /// The newest export among that data.
    pub data_at: DateTime<Utc>,
    /// The digest of the report's template.
    pub template: Digest,
    /// The digest of the look.
    pub theme: Digest,
    /// The digest of the fonts.
    pub fonts: Digest,
    /// Name and version of the program that made it.
    pub program: String,
    /// Its files in the order of their names; [`super::Archive::put`] fills them in.
    pub files: Vec<ManifestFile>,
}

/// Who an edition is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestAudience {
    /// The role's key, as in `report-viewer`.
    pub role: String,
    /// `organization`, or `locations:` with their ids.
    pub scope: String,
    /// The language, an IETF tag as in `en`.
    pub language: String,
}

/// A file of a pack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its name in the pack's folder.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// How many bytes it has.
    pub n_bytes: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

impl Manifest {
    /// The version of the form that this program writes.
    pub const SCHEMA: u32 = SCHEMA;

    /// With its files filled in, if it speaks of the edition that the key names.
    pub(super) fn of_files(mut self, key: &PackKey, files: &[&PackFile]) -> Result<Manifest, ArchiveError> {
        for (what, agrees) in [
            ("schema", self.schema == SCHEMA),
            ("report", self.report == key.report),
            ("schedule", self.schedule == key.schedule),
            ("period", self.period == key.period),
            ("partner", self.partner_id == key.partner_id),
            ("number", self.revision == key.number),
        ] {
            if !agrees {
                return Err(ArchiveError::Disagree(what));
            }
        }
        let described = |file: &&PackFile| ManifestFile {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            n_bytes: file.bytes.len() as u64,
            digest: Digest::of(&file.bytes),
        };
        self.files = files.iter().map(described).collect();
        Ok(self)
    }

    /// As it stands in the archive: indented JSON with a line end.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists only, whose keys are strings: nothing that JSON could refuse.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads one back, of this program's form only.
    pub(super) fn from_bytes(path: &str, bytes: &[u8]) -> Result<Manifest, ArchiveError> {
        let wrong = |words: String| ArchiveError::Manifest { path: path.to_owned(), words };
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(wrong(format!("it has form {}, and this program reads form {SCHEMA}", manifest.schema)));
        }
        Ok(manifest)
    }
}
