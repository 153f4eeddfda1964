//! Shaped texts, kept between documents: names and headings repeat, and shaping is half of a document's cost.
//!
//! Shaping is a pure function of its key, so what is in here changes how fast a document is made and never its bytes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::{Direction, Shaped, Weight};

/// How many texts a generation of a shard may hold: with all shards and both generations some 25,000, about 10 MB.
const ENTRIES_MAX: usize = 256;
/// Texts longer than this are shaped anew each time.
const TEXT_BYTES_MAX: usize = 200;
const N_SHARDS: usize = 48;

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
pub(super) fn shaped(text: &str, weight: Weight, direction: Direction, shape: impl FnOnce() -> Shaped) -> Arc<Shaped> {
    if text.len() > TEXT_BYTES_MAX {
        return Arc::new(shape());
    }
    let last = usize::from(text.as_bytes().last().copied().unwrap_or(0));
    let shard = ((text.len() + last) % 8) * 6 + weight as usize * 2 + direction as usize;
    let lock = || SHARDS[shard].lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shaped) = lock().get(text) {
        return shaped;
    }
    // Shaped outside the lock: two threads may do the same work once, none waits for the other.
    let shaped = Arc::new(shape());
    lock().put(text.into(), Arc::clone(&shaped));
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
