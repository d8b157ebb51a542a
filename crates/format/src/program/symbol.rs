//! Owns the names of symbols: each name once, each with a number.

use std::collections::HashMap;

/// A symbol, such as the batch size, as an index into the program's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u32);

impl SymbolId {
    /// The place of the symbol's value in a list of bindings.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The symbols of a program, numbered in the order they were first met.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<String>,
    ids: HashMap<String, SymbolId>,
}

impl Symbols {
    /// The symbol of this name, new if it was not met before.
    pub fn intern(&mut self, name: &str) -> SymbolId {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = SymbolId(self.names.len() as u32);
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// Adds a symbol that no name finds.
    pub(super) fn push_unnamed(&mut self) {
        self.names.push(String::new());
    }

    /// The symbol of this name, if it was met before.
    pub fn find(&self, name: &str) -> Option<SymbolId> {
        self.ids.get(name).copied()
    }

    /// The symbol's name; `?` for a symbol of another program.
    pub fn name(&self, id: SymbolId) -> &str {
        self.names.get(id.index()).map_or("?", String::as_str)
    }

    /// All names, in the order of their numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
