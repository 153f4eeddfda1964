//! Which packs of a schedule's period are complete, by one look.

use std::collections::BTreeSet;

use super::{Archive, ArchiveError, PackKey, pack};

/// The complete packs of one report, schedule and period.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// The folders of their first tries, whichever try it is that stands complete.
    folders: BTreeSet<String>,
}

impl Shelf {
    /// Whether a complete pack of that edition stands on it.
    ///
    /// # Errors
    /// When the key leads nowhere in an archive.
    pub fn has(&self, key: &PackKey) -> Result<bool, ArchiveError> {
        Ok(self.folders.contains(key.folder(1)?.as_ref()))
    }
}

impl Archive {
    /// The complete packs that stand beside the one of a key: of its report, schedule and period.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn shelf(&self, key: &PackKey) -> Result<Shelf, ArchiveError> {
        let folders = self.list(&pack::shelf(key)).await?;
        Ok(Shelf { folders: folders.into_iter().map(first_try).collect() })
    }
}

/// `…/1.3` → `…/1`.
fn first_try(folder: String) -> String {
    let Some((audience, number)) = folder.rsplit_once('/') else { return folder };
    let number = number.split('.').next().unwrap_or_default();
    format!("{audience}/{number}")
}
