//! Seals: hashes by which damage is found before anything damaged is used. Bytes are checked piece by piece, each when it is
//! first needed, so that what nobody uses takes no time.
//!
//! ```text
//!  | head                                   | piece 0 | piece 1 | ...       64 KiB each, counted from the first byte of all;
//!    hash of the head | ... | hash of each                               what the head takes up of a piece is no part of it
//! ```
//! The hash of the head, which it is itself no part of, covers those of the pieces.

use super::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Bytes of a hash.
pub(super) const HASH: usize = 32;

/// How many pieces so many bytes have.
pub(super) fn pieces(len: usize) -> usize {
    len.div_ceil(PIECE)
}

/// What of the bytes a piece is.
fn piece(index: usize, head: usize, len: usize) -> Range<usize> {
    let start = (index * PIECE).max(head).min(len);
    start..((index + 1) * PIECE).clamp(start, len)
}

/// Writes the hashes: first those of the pieces to `hashes`, then that of the head.
pub(super) fn seal(bytes: &mut [u8], head: usize, hashes: Range<usize>, head_hash: Range<usize>) {
    for index in 0..pieces(bytes.len()) {
        let hash = blake3::hash(&bytes[piece(index, head, bytes.len())]);
        bytes[hashes.start + index * HASH..][..HASH].copy_from_slice(hash.as_bytes());
    }
    let hash = hash_of_head(&bytes[..head], &head_hash);
    bytes[head_hash].copy_from_slice(&hash);
}

fn hash_of_head(head: &[u8], left_out: &Range<usize>) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head[..left_out.start]).update(&head[left_out.end..]);
    *hasher.finalize().as_bytes()
}

/// Which pieces were found to be undamaged: a bit each.
#[derive(Debug)]
pub struct Checked(Box<[AtomicU64]>);

/// Sealed bytes. Their head is undamaged.
#[derive(Debug)]
pub struct Sealed {
    bytes: Bytes,
    head: usize,
    hashes: Range<usize>,
    checked: Arc<Checked>,
}

impl Sealed {
    /// Bytes that were sealed with the same numbers. `checked` is what was found out about the same bytes before, if
    /// they were seen already. None if the head is damaged.
    pub(super) fn new(
        bytes: Bytes,
        head: usize,
        hashes: Range<usize>,
        head_hash: Range<usize>,
        checked: Option<Arc<Checked>>,
    ) -> Option<Sealed> {
        let whole = head <= bytes.len() && hashes.end <= head && hashes.len() == pieces(bytes.len()) * HASH;
        if !whole || checked.is_none() && hash_of_head(&bytes[..head], &head_hash) != bytes[head_hash] {
            return None;
        }
        let words = pieces(bytes.len()).div_ceil(64);
        let checked = checked
            .filter(|checked| checked.0.len() == words)
            .unwrap_or_else(|| Arc::new(Checked((0..words).map(|_| AtomicU64::new(0)).collect())));
        Some(Sealed { bytes, head, hashes, checked })
    }

    /// All bytes, damaged or not.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is known of them, for whoever sees the same bytes again.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// Whether a part is undamaged.
    pub fn check(&self, part: Range<usize>) -> bool {
        part.end <= self.bytes.len()
            && (part.is_empty() || (part.start / PIECE..pieces(part.end)).all(|index| self.check_piece(index)))
    }

    fn check_piece(&self, index: usize) -> bool {
        let (word, bit) = (&self.checked.0[index / 64], 1 << (index % 64));
        if word.load(Ordering::Relaxed) & bit != 0 {
            return true;
        }
        let hash = &self.bytes[self.hashes.start + index * HASH..][..HASH];
        let good = *blake3::hash(&self.bytes[piece(index, self.head, self.bytes.len())]).as_bytes() == *hash;
        if good {
            // Two threads may find out the same.
            word.fetch_or(bit, Ordering::Relaxed);
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD_HASH: Range<usize> = 0..HASH;

    fn sealed(len: usize) -> (Vec<u8>, usize, Range<usize>) {
        let hashes = HASH..HASH + pieces(len) * HASH;
        let head = hashes.end + 10;
        let mut bytes: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
        seal(&mut bytes, head, hashes.clone(), HEAD_HASH);
        (bytes, head, hashes)
    }

    fn open(bytes: &[u8], head: usize, hashes: &Range<usize>) -> Option<Sealed> {
        Sealed::new(Bytes::from(bytes.to_vec()), head, hashes.clone(), HEAD_HASH, None)
    }

    #[test]
    fn damage_is_found_where_it_is_and_nowhere_else() {
        let len = 5 * PIECE + 100;
        let (good, head, hashes) = sealed(len);
        assert!(open(&good, head, &hashes).unwrap().check(0..len));
        for at in [head, PIECE - 1, PIECE, 3 * PIECE + 5, 5 * PIECE, len - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let bad = open(&bad, head, &hashes).unwrap();
            assert!(!bad.check(at..at + 1) && !bad.check(0..len));
            let piece = at / PIECE;
            assert!(bad.check(piece * PIECE..piece * PIECE), "nothing is never damaged");
            for other in (0..pieces(len)).filter(|other| *other != piece) {
                assert!(bad.check(other * PIECE..((other + 1) * PIECE).min(len)));
            }
        }
        assert!(!open(&good, head, &hashes).unwrap().check(len - 1..len + 1));
        for at in [0, HASH - 1, HASH, hashes.end - 1, head - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(open(&bad, head, &hashes).is_none(), "byte {at} of the head");
        }
    }

    #[test]
    fn a_head_may_be_longer_than_a_piece() {
        let len = 3000 * PIECE;
        let (mut bytes, head, hashes) = sealed(len);
        assert!(head > PIECE);
        assert!(open(&bytes, head, &hashes).unwrap().check(0..2 * PIECE));
        bytes[len - 1] ^= 1;
        assert!(!open(&bytes, head, &hashes).unwrap().check(len - 1..len));
    }

    #[test]
    fn what_was_checked_is_known() {
        let (mut bytes, head, hashes) = sealed(PIECE);
        let first = open(&bytes, head, &hashes).unwrap();
        assert!(first.check(0..PIECE));
        bytes[PIECE - 1] ^= 1;
        let known = Some(first.checked().clone());
        let again = Sealed::new(Bytes::from(bytes), head, hashes, HEAD_HASH, known).unwrap();
        assert!(again.check(0..PIECE));
    }
}
