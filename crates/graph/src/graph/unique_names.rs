//! Unique names for values that the exported program does not have.

use super::{Graph, Value, ValueId, ValueKind};
use std::collections::{HashMap, HashSet};

/// Every name of a graph, and the last number that was put behind each.
pub struct UniqueNames {
    taken: HashSet<String>,
    numbers: HashMap<String, usize>,
}

impl UniqueNames {
    /// Those that the graph leaves free.
    pub fn of(graph: &Graph) -> UniqueNames {
        let taken = graph.values.iter().map(|value| value.name.clone()).collect();
        UniqueNames { taken, numbers: HashMap::new() }
    }

    /// Adds a value of this kind to the graph, called by this name or, if it is taken, with the first free number
    /// behind it.
    pub fn add(&mut self, graph: &mut Graph, name: &str, kind: ValueKind) -> ValueId {
        let id = ValueId(u32::try_from(graph.values.len()).unwrap_or(u32::MAX));
        let name = self.free(name);
        self.taken.insert(name.clone());
        graph.values.push(Value { name, kind, storage: None });
        id
    }

    fn free(&mut self, name: &str) -> String {
        if !self.taken.contains(name) {
            return name.to_owned();
        }
        let last = self.numbers.entry(name.to_owned()).or_default();
        loop {
            *last += 1;
            let numbered = format!("{name}_{last}");
            if !self.taken.contains(&numbered) {
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph;

    #[test]
    fn no_name_is_given_twice() {
        let mut graph = graph::parse("graph(%a: tensor, %a_2: tensor) { return (%a) }").unwrap();
        let mut names = UniqueNames::of(&graph);
        let mut add = |name| {
            let id = names.add(&mut graph, name, ValueKind::Int);
            graph.value(id).unwrap().name.clone()
        };
        assert_eq!(["b", "a", "a", "b", "a"].map(&mut add), ["b", "a_1", "a_3", "b_1", "a_4"]);
    }
}
