//! Symbols: unique names with consecutive numbers.

use std::collections::HashMap;

/// A symbol, such as the batch size, as an index into the program's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u32);

impl SymbolId {
    /// Returns the index of the symbol's value in a list of bindings.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Symbols of a program, numbered in order of first occurrence.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<String>,
    ids: HashMap<String, SymbolId>,
}

impl Symbols {
    /// Returns the symbol of this name, and adds it if it is new.
    pub fn intern(&mut self, name: &str) -> SymbolId {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = SymbolId(self.names.len() as u32);
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// Adds a symbol that cannot be found by name.
    pub(super) fn push_unnamed(&mut self) {
        self.names.push(String::new());
    }

    /// Returns the symbol of this name, if it exists.
    pub fn find(&self, name: &str) -> Option<SymbolId> {
        self.ids.get(name).copied()
    }

    /// Returns the symbol's name, or `?` for a symbol of another program.
    pub fn name(&self, id: SymbolId) -> &str {
        self.names.get(id.index()).map_or("?", String::as_str)
    }

    /// Returns all names, in the order of their numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
