//! Stack of the machine, with marks that hide the values below them.

use super::value::{MemoryBudget, PickleValue};

/// Stack of values. Only values above the last mark are accessible.
#[derive(Default)]
pub struct Stack {
    values: Vec<PickleValue>,
    /// The number of values at the time of each mark.
    marks: Vec<usize>,
}

impl Stack {
    pub fn push(&mut self, value: PickleValue, budget: &mut MemoryBudget) -> Result<(), String> {
        budget.push(&mut self.values, value)
    }

    pub fn mark(&mut self, budget: &mut MemoryBudget) -> Result<(), String> {
        budget.push(&mut self.marks, self.values.len())
    }

    /// Removes the last mark. Returns the number of values above it.
    pub fn unmark(&mut self) -> Result<usize, String> {
        let mark = self.marks.pop().ok_or("there is no MARK")?;
        Ok(self.values.len().saturating_sub(mark))
    }

    pub fn pop(&mut self) -> Result<PickleValue, String> {
        let top = self.top()?;
        self.values.pop();
        Ok(top)
    }

    pub fn top(&self) -> Result<PickleValue, String> {
        self.below(0)
    }

    /// Returns the last `count` values.
    pub fn last(&self, count: usize) -> Result<&[PickleValue], String> {
        let reachable = self.reachable();
        let start = reachable.len().checked_sub(count);
        start.and_then(|start| reachable.get(start..)).ok_or_else(too_few)
    }

    /// Returns the value below the last `count` values.
    pub fn below(&self, count: usize) -> Result<PickleValue, String> {
        let reachable = self.reachable();
        let index = reachable.len().checked_sub(count).and_then(|len| len.checked_sub(1));
        index.and_then(|index| reachable.get(index)).copied().ok_or_else(too_few)
    }

    /// Removes the last `count` values.
    pub fn remove(&mut self, count: usize) {
        self.values.truncate(self.values.len().saturating_sub(count));
    }

    /// Returns the value if it is the only one and there is no mark.
    pub fn only(&self) -> Result<PickleValue, String> {
        match (self.values.as_slice(), self.marks.as_slice()) {
            ([value], []) => Ok(*value),
            ([], _) => Err(too_few()),
            _ => Err("values are left on the stack".into()),
        }
    }

    fn reachable(&self) -> &[PickleValue] {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.values.get(floor..).unwrap_or_default()
    }
}

fn too_few() -> String {
    "the stack holds too few values".to_owned()
}
