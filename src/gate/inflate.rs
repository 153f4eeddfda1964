//! Inflates what is there as a whole, into memory that what goes in bounds, not what a file claims.

use libdeflater::{DecompressionError, Decompressor};

/// So much room there is at first; most parts and streams are smaller.
const ROOM_BYTES: usize = 256 << 10;

/// A byte of deflated data becomes at most so many (zlib's technical details).
const RATIO_MAX: usize = 1032;

/// Inflates one thing after the other.
pub(super) struct Inflater {
    decompressor: Decompressor,
    room: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Inflater {
        Inflater { decompressor: Decompressor::new(), room: Vec::new() }
    }
}

impl Inflater {
    /// What deflated data of `n` bytes becomes (RFC 1951); none if it is broken or does not become as many.
    pub(super) fn deflated(&mut self, data: &[u8], n: usize) -> Option<&[u8]> {
        if n > data.len().saturating_mul(RATIO_MAX) {
            return None;
        }
        if self.room.len() < n {
            // Anew: nothing of what is there is wanted in it.
            self.room = vec![0; n];
        }
        let inflated = &mut self.room[..n];
        (self.decompressor.deflate_decompress(data, inflated) == Ok(n)).then_some(inflated)
    }

    /// The `n` bytes that were inflated last.
    pub(super) fn last(&self, n: usize) -> &[u8] {
        self.room.get(..n).unwrap_or_default()
    }

    /// What deflated data between zlib's head and checksum becomes (RFC 1950).
    ///
    /// # Errors
    /// What is wrong with it, also if it becomes more than `bytes_max`.
    pub(super) fn zlib(&mut self, data: &[u8], bytes_max: usize) -> Result<&[u8], String> {
        let most = bytes_max.min(data.len().saturating_mul(RATIO_MAX));
        loop {
            let n_room = self.room.len().min(most);
            match self.decompressor.zlib_decompress(data, &mut self.room[..n_room]) {
                Ok(n) => return Ok(&self.room[..n]),
                Err(DecompressionError::InsufficientSpace) if n_room < most => {
                    let n = self.room.len().saturating_mul(2).max(ROOM_BYTES).min(most);
                    self.room = vec![0; n];
                }
                Err(DecompressionError::InsufficientSpace) => {
                    return Err(format!("it becomes more than the {bytes_max} bytes that are left to it"));
                }
                Err(DecompressionError::BadData) => return Err("it is broken".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeros(n: usize) -> Vec<u8> {
        let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::best());
        let mut data = vec![0; compressor.zlib_compress_bound(n)];
        let n = compressor.zlib_compress(&vec![0; n], &mut data).unwrap();
        data.truncate(n);
        data
    }

    #[test]
    fn what_becomes_more_than_it_may_is_refused_and_takes_no_more_room() {
        let (mut inflater, data) = (Inflater::default(), zeros(3 << 20));
        assert_eq!(inflater.zlib(&data, 3 << 20), Ok(&*vec![0; 3 << 20]));
        let mut inflater = Inflater::default();
        let error = inflater.zlib(&data, 1_000_000).unwrap_err();
        assert_eq!(
            (&*error, inflater.room.len()),
            ("it becomes more than the 1000000 bytes that are left to it", 1_000_000)
        );
        assert_eq!(inflater.zlib(&data[..data.len() / 2], 3 << 20), Err("it is broken".to_owned()));
    }

    #[test]
    fn a_size_that_is_claimed_falsely_takes_no_room() {
        let (mut inflater, data) = (Inflater::default(), zeros(5000));
        let deflated = &data[2..data.len() - 4];
        assert!(inflater.deflated(deflated, 1 << 40).is_none() && inflater.room.capacity() == 0);
        assert!(inflater.deflated(deflated, 4999).is_none() && inflater.deflated(deflated, 5001).is_none());
        assert_eq!(inflater.deflated(deflated, 5000), Some(&[0; 5000][..]));
    }
}
