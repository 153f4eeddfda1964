//! What can go wrong in the archive.

use crate::base::Digest;

/// A pack could not be put, got or proven.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The disk is full, or a quota is used up.
    #[error(
        "archive `{archive}`: no room for `{path}`: {words}; hint: make room, nothing that stands there was changed"
    )]
    Full {
        /// The archive's name.
        archive: String,
        /// The object.
        path: String,
        /// What the system says.
        words: String,
    },
    /// The folder was there and is not any more.
    #[error(
        "archive `{archive}`: the folder is away; hint: bring it back as it was, it is not made anew, and what waits for it \
         goes on"
    )]
    Away {
        /// The archive's name.
        archive: String,
    },
    /// The place cannot be written.
    #[error(
        "archive `{archive}`: `{path}` cannot be written: {words}; hint: let the user that pressrun runs as write there"
    )]
    Unwritable {
        /// The archive's name.
        archive: String,
        /// The object.
        path: String,
        /// What the system says.
        words: String,
    },
    /// The store failed in another way, perhaps for a moment only.
    #[error("archive `{archive}`: `{path}`: {words}")]
    Store {
        /// The archive's name.
        archive: String,
        /// The object.
        path: String,
        /// What the store says.
        words: String,
    },
    /// A complete pack of that edition stands there with other content.
    #[error(
        "archive `{archive}`: `{path}` is there already with other content, and was not touched; hint: a changed \
         report is a new revision"
    )]
    Taken {
        /// The archive's name.
        archive: String,
        /// The pack's folder.
        path: String,
    },
    /// Too many folders of one edition hold orphans.
    #[error("`{path}` and its next {n_folders} folders hold unfinished packs; hint: look why runs break off")]
    Folders {
        /// The first folder.
        path: String,
        /// How many were tried.
        n_folders: u32,
    },
    /// Key and manifest speak of different editions.
    #[error("the pack's key and its manifest disagree on the {0}")]
    Disagree(&'static str),
    /// A name that cannot be a file's in a pack.
    #[error("`{0}` cannot be the name of a file in a pack")]
    Name(String),
    /// A path that leads nowhere.
    #[error("`{0}` is no path in an archive")]
    Path(String),
    /// A file of a pack, or its manifest, is not there.
    #[error("`{path}`: `{file}` is missing")]
    Missing {
        /// The pack's folder.
        path: String,
        /// The file.
        file: String,
    },
    /// A file of a pack is not the one that was archived.
    #[error("`{path}`: `{file}` was changed: its SHA-256 is {found}, and was {expected} when it was archived")]
    Differs {
        /// The pack's folder.
        path: String,
        /// The file.
        file: String,
        /// The manifest's digest.
        expected: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// A manifest that cannot be read.
    #[error("`{path}`: the manifest cannot be read: {words}")]
    Manifest {
        /// The pack's folder.
        path: String,
        /// Why.
        words: String,
    },
}

impl ArchiveError {
    /// Whether the same call may succeed once somebody has mended the place, or by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Away { .. } | Self::Unwritable { .. } | Self::Store { .. })
    }
}
