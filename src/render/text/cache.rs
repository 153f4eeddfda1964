//! Shaped texts, kept between documents: names and headings repeat, and shaping is half of a document's cost.
//!
//! Shaping is a pure function of its key, so what is in here changes how fast a document is made and never its bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::{Direction, FontSet, Shaped, Weight};

/// How many texts a generation of a shard may hold: with all shards and both generations some 50,000, about 20 MB.
const ENTRIES_MAX: usize = 256;
/// Texts longer than this are shaped anew each time.
const TEXT_BYTES_MAX: usize = 200;
/// Half of them for the carried fonts, half for all sets with fonts of their own.
const N_SHARDS: usize = 2 * N_SHARDS_OF_CARRIED;
const N_SHARDS_OF_CARRIED: usize = 48;

static SHARDS: LazyLock<Vec<Mutex<Shard>>> =
    LazyLock::new(|| (0..N_SHARDS).map(|_| Mutex::new(Shard::default())).collect());

/// Two generations: when the young one is full it becomes the old one, and what nobody asked for is gone.
#[derive(Default)]
struct Shard {
    young: HashMap<Box<str>, Arc<Shaped>>,
    old: HashMap<Box<str>, Arc<Shaped>>,
}

impl Shard {
    fn get(&mut self, text: &str) -> Option<Arc<Shaped>> {
        if let Some(shaped) = self.young.get(text) {
            return Some(Arc::clone(shaped));
        }
        let (text, shaped) = self.old.remove_entry(text)?;
        self.put(text, Arc::clone(&shaped));
        Some(shaped)
    }

    fn put(&mut self, text: Box<str>, shaped: Arc<Shaped>) {
        if self.young.len() >= ENTRIES_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, shaped);
    }
}

/// The shaped text, from the cache or from `shape`.
///
/// A set with fonts of its own writes its digest, whose length is fixed, before the text: no two sets share an entry.
pub(super) fn shaped(
    text: &str,
    weight: Weight,
    direction: Direction,
    set: &FontSet,
    shape: impl FnOnce() -> Shaped,
) -> Arc<Shaped> {
    if text.len() > TEXT_BYTES_MAX {
        return Arc::new(shape());
    }
    let last = usize::from(text.as_bytes().last().copied().unwrap_or(0));
    let shard = ((text.len() + last) % 8) * 6 + weight as usize * 2 + direction as usize;
    let (shard, key) = match set.key() {
        None => (shard, Cow::Borrowed(text)),
        Some(set) => (shard + N_SHARDS_OF_CARRIED, Cow::Owned(format!("{set}{text}"))),
    };
    let lock = || SHARDS[shard].lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shaped) = lock().get(&key) {
        return shaped;
    }
    // Shaped outside the lock: two threads may do the same work once, none waits for the other.
    let shaped = Arc::new(shape());
    lock().put(key.into(), Arc::clone(&shaped));
    shaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_stays_bounded_and_keeps_what_is_asked_for() {
        let mut shard = Shard::default();
        let shaped = Arc::new(Shaped::default());
        for n in 0..10 * ENTRIES_MAX {
            shard.put(n.to_string().into(), Arc::clone(&shaped));
            assert!(shard.young.len() + shard.old.len() <= 2 * ENTRIES_MAX);
            if n % 100 == 0 {
                assert!(n == 0 || shard.get("0").is_some(), "{n}");
            }
        }
        assert!(shard.get("1").is_none());
    }
}
