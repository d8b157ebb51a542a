//! Free list of address ranges.

use std::collections::{BTreeMap, BTreeSet};

/// Free ranges. Adjacent ranges are merged.
#[derive(Debug, Default)]
pub struct FreeList {
    lengths: BTreeMap<usize, usize>,
    /// The same ranges as (length, start).
    sorted: BTreeSet<(usize, usize)>,
}

impl FreeList {
    /// Takes the smallest range that is long enough, at the lowest address. Returns its start.
    pub fn take(&mut self, length: usize) -> Option<usize> {
        let &(found, start) = self.sorted.range((length, 0)..).next()?;
        self.remove(start, found);
        if found > length {
            self.insert(start + length, found - length);
        }
        Some(start)
    }

    /// Frees a range and merges it with its neighbours.
    pub fn give(&mut self, mut start: usize, mut length: usize) {
        let before = self.lengths.range(..start).next_back().map(|(start, length)| (*start, *length));
        if let Some((first, own)) = before.filter(|(first, own)| first + own == start) {
            self.remove(first, own);
            (start, length) = (first, own + length);
        }
        let end = start + length;
        if let Some(own) = self.lengths.get(&end).copied() {
            self.remove(end, own);
            length += own;
        }
        self.insert(start, length);
    }

    /// Returns start and length of each range, in order.
    pub fn ranges(&self) -> impl Iterator<Item = (usize, usize)> {
        self.lengths.iter().map(|(start, length)| (*start, *length))
    }

    fn insert(&mut self, start: usize, length: usize) {
        self.lengths.insert(start, length);
        self.sorted.insert((length, start));
    }

    fn remove(&mut self, start: usize, length: usize) {
        self.lengths.remove(&start);
        self.sorted.remove(&(length, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_smallest_range_that_is_long_enough_is_taken() {
        let mut space = FreeList::default();
        for (start, length) in [(0, 100), (200, 30), (300, 40), (400, 30)] {
            space.give(start, length);
        }
        assert_eq!(
            [35, 30, 25, 200].map(|length| space.take(length)),
            [Some(300), Some(200), Some(400), None]
        );
        assert_eq!(space.ranges().collect::<Vec<_>>(), [(0, 100), (335, 5), (425, 5)]);
    }

    proptest! {
        /// Takes (a length) and frees (a block in use) in any order. Blocks are inside the space
        /// and never overlap. Once all are freed, the space is one range.
        #[test]
        fn blocks_never_overlap_and_all_come_back(steps in prop::collection::vec((any::<bool>(), 1..40usize), 1..200)) {
            let mut space = FreeList::default();
            space.give(1000, 500);
            let mut used: BTreeMap<usize, usize> = BTreeMap::new();
            for (takes, number) in steps {
                if takes {
                    let Some(start) = space.take(number) else { continue };
                    prop_assert!(start >= 1000 && start + number <= 1500);
                    prop_assert!(used.range(..start + number).next_back().is_none_or(|(other, length)| other + length <= start));
                    used.insert(start, number);
                } else if let Some((start, length)) = used.iter().nth(number % used.len().max(1)).map(|(s, l)| (*s, *l)) {
                    used.remove(&start);
                    space.give(start, length);
                }
                let free: usize = space.ranges().map(|(_, length)| length).sum();
                prop_assert_eq!(free + used.values().sum::<usize>(), 500);
            }
            used.into_iter().for_each(|(start, length)| space.give(start, length));
            prop_assert_eq!(space.ranges().collect::<Vec<_>>(), [(1000, 500)]);
        }
    }
}
