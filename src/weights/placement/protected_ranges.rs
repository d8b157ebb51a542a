//! Protected address ranges: the weights of all models in the process, which no program may write
//! to.

use crate::lock::lock;
use crate::torch::TensorView;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

/// Disjoint ranges by start address, with their end and their number of [`Protected`] values.
///
/// Overlapping ranges are merged into one, which exists until all of their values are dropped.
static RANGES: Mutex<BTreeMap<usize, (usize, usize)>> = Mutex::new(BTreeMap::new());

/// Range that is protected for as long as this value lives.
#[derive(Debug)]
pub(super) struct Protected {
    /// Address inside the range; None if the range is empty.
    inside: Option<usize>,
}

impl Protected {
    pub fn new(range: Range<usize>) -> Protected {
        if range.is_empty() {
            return Protected { inside: None };
        }
        let mut ranges = lock(&RANGES);
        let (mut start, mut end, mut count) = (range.start, range.end, 1);
        while let Some((at, (to, others))) = overlapped(&ranges, &(start..end)) {
            ranges.remove(&at);
            (start, end, count) = (start.min(at), end.max(to), count + others);
        }
        ranges.insert(start, (end, count));
        Protected { inside: Some(range.start) }
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        let Some(inside) = self.inside else { return };
        let mut ranges = lock(&RANGES);
        let Some((start, (_, count))) = ranges.range_mut(..=inside).next_back() else { return };
        *count -= 1;
        if *count == 0 {
            let start = *start;
            ranges.remove(&start);
        }
    }
}

/// Returns true if the tensor's address range, including gaps, overlaps the weights of any model.
pub fn holds_weights(tensor: &TensorView) -> bool {
    let range = tensor.reach();
    !range.is_empty() && overlapped(&lock(&RANGES), &range).is_some()
}

/// Returns the last range that overlaps this one.
fn overlapped(
    ranges: &BTreeMap<usize, (usize, usize)>,
    with: &Range<usize>,
) -> Option<(usize, (usize, usize))> {
    let (start, (end, count)) = ranges.range(..with.end).next_back()?;
    (*end > with.start).then_some((*start, (*end, *count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_protected(range: Range<usize>) -> bool {
        overlapped(&lock(&RANGES), &range).is_some()
    }

    /// Addresses that no other test uses.
    const BASE: usize = 1 << 60;

    #[test]
    fn a_range_is_protected_until_the_last_user_of_it_is_gone() {
        let (one, two) = (Protected::new(BASE..BASE + 64), Protected::new(BASE..BASE + 64));
        let beside = Protected::new(BASE + 64..BASE + 128);
        assert!(is_protected(BASE + 63..BASE + 64) && is_protected(BASE + 64..BASE + 65));
        drop(one);
        assert!(is_protected(BASE..BASE + 1));
        drop(two);
        assert!(!is_protected(BASE..BASE + 64) && is_protected(BASE..BASE + 65));
        drop(beside);
        assert!(!is_protected(BASE..BASE + 128));
    }

    #[test]
    fn ranges_that_overlap_are_one() {
        let base = BASE + 4096;
        let inner = Protected::new(base + 16..base + 32);
        let outer = Protected::new(base..base + 64);
        let across = Protected::new(base + 48..base + 96);
        drop(outer);
        assert!(is_protected(base + 80..base + 81) && is_protected(base + 20..base + 21));
        drop(across);
        drop(inner);
        assert!(!is_protected(base..base + 96));
    }

    #[test]
    fn nothing_is_protected_by_an_empty_range() {
        let base = BASE + 8192;
        let empty = Protected::new(base..base);
        assert!(!is_protected(base - 1..base + 1));
        drop(empty);
    }
}
