//! Table of input shapes: the number of calls of each, and its CUDA graph.

use super::super::Input;
use super::capture::CapturedGraph;
use super::key::{self, InputKey};

/// Limit of entries without a CUDA graph, for programs that get new shapes in every call.
const COUNTED: usize = 64;

/// Entries of the shapes seen, in no order.
#[derive(Debug)]
pub struct ShapeTable {
    all: Vec<ShapeEntry>,
    limit: usize,
    clock: u64,
}

#[derive(Debug)]
struct ShapeEntry {
    shapes: Vec<InputKey>,
    stage: Stage,
    last_use: u64,
}

/// Progress of one tuple of shapes.
#[derive(Debug)]
pub enum Stage {
    /// Number of calls so far.
    Counted(u32),
    /// Captured.
    Ready(Box<CapturedGraph>),
    /// Capture failed or saves no time.
    Refused,
}

impl ShapeTable {
    /// Creates a table of up to `limit` CUDA graphs.
    pub fn new(limit: usize) -> ShapeTable {
        ShapeTable { all: Vec::new(), limit, clock: 0 }
    }

    /// Returns the number of CUDA graphs.
    pub fn ready(&self) -> usize {
        self.all.iter().filter(|entry| entry.is_ready()).count()
    }

    /// Returns the CUDA graph that takes these inputs.
    pub fn kernels(&mut self, inputs: &[Input]) -> Option<&mut CapturedGraph> {
        let entry =
            self.all.iter_mut().find(|entry| entry.is_ready() && key::matches(&entry.shapes, inputs))?;
        self.clock += 1;
        entry.last_use = self.clock;
        match &mut entry.stage {
            Stage::Ready(kernels) => Some(kernels),
            _ => None,
        }
    }

    /// Counts a call. Returns the index of its entry and its number of calls.
    ///
    /// Returns None for inputs that cannot be captured or were refused, and for new ones unless
    /// `add`.
    pub fn count(&mut self, inputs: &[Input], add: bool) -> Option<(usize, u32)> {
        let found = self.all.iter().position(|entry| key::matches(&entry.shapes, inputs));
        let index = match found {
            Some(index) => index,
            None if add => self.add(key::of(inputs)?),
            None => return None,
        };
        self.clock += 1;
        let entry = self.all.get_mut(index)?;
        entry.last_use = self.clock;
        let Stage::Counted(calls) = &mut entry.stage else { return None };
        *calls += 1;
        Some((index, *calls))
    }

    /// Ends the capture of an entry. Calls `wait` before it evicts another CUDA graph.
    pub fn settle(&mut self, index: usize, stage: Stage, wait: impl FnOnce()) {
        if let Some(entry) = self.all.get_mut(index) {
            entry.stage = stage;
        }
        if self.ready() > self.limit {
            wait();
            self.forget_oldest(ShapeEntry::is_ready);
        }
    }

    fn add(&mut self, shapes: Vec<InputKey>) -> usize {
        if self.all.len() - self.ready() >= COUNTED {
            self.forget_oldest(|entry| !entry.is_ready());
        }
        self.all.push(ShapeEntry { shapes, stage: Stage::Counted(0), last_use: self.clock });
        self.all.len() - 1
    }

    fn forget_oldest(&mut self, of: fn(&ShapeEntry) -> bool) {
        let oldest = self.all.iter().filter(|entry| of(entry)).map(|entry| entry.last_use).min();
        self.all.retain(|entry| !of(entry) || Some(entry.last_use) != oldest);
    }
}

impl ShapeEntry {
    fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::number::Number;

    fn number(value: i64) -> [Input; 1] {
        [Input::Number(Number::Int(value))]
    }

    #[test]
    fn shapes_are_counted_apart() {
        let mut entries = ShapeTable::new(1);
        for calls in 1..4 {
            assert_eq!(entries.count(&number(1), true), Some((0, calls)));
            assert_eq!(entries.count(&number(2), true), Some((1, calls)));
        }
        assert_eq!(entries.count(&number(3), false), None);
        entries.settle(0, Stage::Refused, || ());
        assert_eq!(entries.count(&number(1), true), None);
    }

    #[test]
    fn shapes_that_never_come_again_are_forgotten() {
        let mut entries = ShapeTable::new(1);
        for value in 0..1000 {
            entries.count(&number(0), true);
            entries.count(&number(value), true);
        }
        assert_eq!(entries.all.len(), COUNTED);
        assert_eq!(entries.count(&number(0), true).map(|(_, calls)| calls), Some(1002));
    }
}
