//! Unique names for values that passes add.

use super::{Graph, Value, ValueId, ValueKind};
use std::collections::{HashMap, HashSet};

/// Names of a graph, and the last number that was appended to each.
pub struct UniqueNames {
    taken: HashSet<String>,
    numbers: HashMap<String, usize>,
}

impl UniqueNames {
    /// Collects the names of a graph.
    pub fn of(graph: &Graph) -> UniqueNames {
        let taken = graph.values.iter().map(|value| value.name.clone()).collect();
        UniqueNames { taken, numbers: HashMap::new() }
    }

    /// Adds a value of this kind under this name or, if the name is taken, with the first free
    /// number appended.
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
