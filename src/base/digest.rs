//! SHA-256 digests, and the id of an edition.

use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::Period;

/// How much of a stream is held at once.
const STREAM_BYTES: usize = 128 * 1024;

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest of 64 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(sha2::Sha256::digest(bytes).into())
    }

    /// The digest of a stream and its number of bytes, handed on as it is read.
    ///
    /// # Errors
    /// When it can't be read, or not be handed on.
    pub fn of_stream(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<(Digest, u64)> {
        let (mut hasher, mut n_bytes) = (sha2::Sha256::new(), 0);
        let mut part = vec![0; STREAM_BYTES];
        loop {
            let n = match from.read(&mut part) {
                Ok(0) => return Ok((Digest(hasher.finalize().into()), n_bytes)),
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(&part[..n]);
            to.write_all(&part[..n])?;
            n_bytes += n as u64;
        }
    }

    /// The digest of several texts; no two different lists share their input.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Digest(hasher.finalize().into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first twelve digits in groups of four, as pages show it: `7f3a 09c2 51be`.
    pub fn spoken(&self) -> String {
        let text = self.to_string();
        format!("{} {} {}", &text[..4], &text[4..8], &text[8..12])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        let wrong = || DigestError(text.to_owned());
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The id of an edition, printed as *Report ID*: the digest of schedule × period × audience × number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EditionId(pub Digest);

impl EditionId {
    /// The id of the edition of `schedule`, about `period`, for the audience with that key, with that number.
    pub fn of(schedule: &str, period: Period, audience: &str, number: u32) -> EditionId {
        let (period, number) = (period.to_string(), number.to_string());
        EditionId(Digest::of_parts([schedule.as_bytes(), period.as_bytes(), audience.as_bytes(), number.as_bytes()]))
    }
}

impl fmt::Display for EditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_read_back_and_parts_do_not_run_together() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.spoken(), "e3b0 c442 98fc");
        let (mut copied, bytes) = (Vec::new(), vec![7; STREAM_BYTES + 1]);
        let streamed = Digest::of_stream(&mut bytes.as_slice(), &mut copied).unwrap();
        assert_eq!((streamed, copied.len()), ((Digest::of(&bytes), bytes.len() as u64), bytes.len()));
        assert!("e3b0".parse::<Digest>().is_err());
        assert_ne!(Digest::of_parts([&b"ab"[..], b"c"]), Digest::of_parts([&b"a"[..], b"bc"]));
    }
}
