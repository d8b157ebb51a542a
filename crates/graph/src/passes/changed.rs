//! Results of passes.

/// Result of a pass.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    /// The pass changed the graph.
    Yes,
    /// The pass left the graph unchanged.
    No,
}

impl Changed {
    /// Returns `Yes` if either is `Yes`.
    pub fn or(self, other: Changed) -> Changed {
        if other == Changed::Yes { Changed::Yes } else { self }
    }
}
