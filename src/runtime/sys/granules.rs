//! Which parts of a range are free: best fit among the holes, else the end of what was ever used.
//!
//! Counts in granules and knows no addresses. Neighbouring holes are joined, and a hole at the end is given back, so
//! that whatever order things are freed in, freeing all of them leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};

/// The allocator of a range of granules.
#[derive(Debug)]
pub struct Granules {
    /// Everything from here to `limit` is free.
    end: u32,
    /// How many there are.
    limit: u32,
    /// Holes: first granule to length.
    holes: BTreeMap<u32, u32>,
    /// The same holes as (length, first granule).
    by_len: BTreeSet<(u32, u32)>,
}

impl Granules {
    /// All granules from `first` to below `limit` are free.
    pub fn new(first: u32, limit: u32) -> Granules {
        Granules { end: first, limit, holes: BTreeMap::new(), by_len: BTreeSet::new() }
    }

    /// Takes `len` granules that adjoin each other.
    pub fn take(&mut self, len: u32) -> Option<u32> {
        if let Some(&(hole_len, start)) = self.by_len.range((len, 0)..).next() {
            self.remove_hole(start, hole_len);
            if hole_len > len {
                self.insert_hole(start + len, hole_len - len);
            }
            return Some(start);
        }
        let start = self.end;
        if len > self.limit - start {
            return None;
        }
        self.end += len;
        Some(start)
    }

    /// Frees what `take` returned.
    pub fn give(&mut self, mut start: u32, mut len: u32) {
        if let Some((&before, &before_len)) = self.holes.range(..start).next_back()
            && before + before_len == start
        {
            self.remove_hole(before, before_len);
            start = before;
            len += before_len;
        }
        if let Some(&after_len) = self.holes.get(&(start + len)) {
            self.remove_hole(start + len, after_len);
            len += after_len;
        }
        if start + len == self.end {
            self.end = start;
        } else {
            self.insert_hole(start, len);
        }
    }

    /// Nothing at or above this granule is in use.
    pub fn end(&self) -> u32 {
        self.end
    }

    fn insert_hole(&mut self, start: u32, len: u32) {
        self.holes.insert(start, len);
        self.by_len.insert((len, start));
    }

    fn remove_hole(&mut self, start: u32, len: u32) {
        self.holes.remove(&start);
        self.by_len.remove(&(len, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_joined_and_reused_best_first() {
        let mut g = Granules::new(10, 100);
        let a = g.take(10).unwrap();
        let b = g.take(5).unwrap();
        let c = g.take(10).unwrap();
        let d = g.take(1).unwrap();
        assert_eq!((a, b, c, d, g.end()), (10, 20, 25, 35, 36));
        g.give(a, 10);
        g.give(c, 10);
        assert_eq!(g.take(3), Some(10));
        g.give(10, 3);
        g.give(b, 5);
        assert_eq!(g.holes.len(), 1);
        assert_eq!(g.take(25), Some(10));
        g.give(10, 25);
        g.give(d, 1);
        assert_eq!((g.end(), g.holes.len(), g.by_len.len()), (10, 0, 0));
    }

    #[test]
    fn the_range_ends() {
        let mut g = Granules::new(0, 8);
        assert_eq!(g.take(9), None);
        assert_eq!(g.take(8), Some(0));
        assert_eq!(g.take(1), None);
        g.give(0, 8);
        assert_eq!(g.take(8), Some(0));
    }

    #[test]
    fn what_is_taken_never_overlaps() {
        let mut g = Granules::new(0, 1000);
        let mut owner = [0u32; 1000];
        let mut live: Vec<(u32, u32, u32)> = Vec::new();
        let mut random = 12345u32;
        let mut taken = 0;
        for id in 1..20_000u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if random >> 31 == 0 && !live.is_empty() {
                let (start, len, id) = live.swap_remove((random >> 8) as usize % live.len());
                for slot in &mut owner[start as usize..(start + len) as usize] {
                    assert_eq!(std::mem::take(slot), id);
                }
                g.give(start, len);
            } else if let Some(start) = g.take(random >> 8 & 31 | 1) {
                let len = random >> 8 & 31 | 1;
                for slot in &mut owner[start as usize..(start + len) as usize] {
                    assert_eq!(std::mem::replace(slot, id), 0);
                }
                live.push((start, len, id));
                taken += 1;
            }
        }
        assert!(taken > 5_000, "{taken}");
        for (start, len, _) in live {
            g.give(start, len);
        }
        assert_eq!((g.end(), g.holes.len()), (0, 0));
    }
}
