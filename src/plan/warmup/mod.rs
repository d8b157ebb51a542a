//! Warm-up on a CUDA device before the first call, so that kernels are loaded beside other work.
//!
//! Sizes are those of the first call once it is known, else those of the export. Other batch sizes
//! use mostly the same kernels.

mod conv;
mod first_call;
mod gemm;

pub use conv::ConvTemplate;
pub use first_call::FirstCall;
pub use gemm::GemmTemplate;

use crate::graph::{Graph, Node};
use crate::program::expr::Expr;
use crate::program::schema::SymInt;
use crate::program::symbol::Symbols;
use crate::program::{Bindings, Dim};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

/// Operator of a program whose sizes depend on the call.
pub trait WarmupTemplate: Sized {
    /// Kernel call to run.
    type Warmup: Clone + Eq + Hash;

    /// Returns all templates of a graph whose sizes depend on these symbols, in the order in which
    /// they run.
    fn all(graph: &Graph, symbols: &mut Symbols) -> Vec<Self>;

    /// Returns the warm-up at the call's sizes where they are known, else at the exported ones.
    /// None if it takes too much memory.
    fn at(&self, call: Option<&Bindings>) -> Option<Self::Warmup>;
}

/// Iterates over distinct warm-ups while a first call may still start.
#[derive(Debug)]
pub struct WarmupQueue<T: WarmupTemplate> {
    all: Vec<T>,
    next: usize,
    call: FirstCall,
    seen: HashSet<T::Warmup>,
    /// Time to wait for a first call after all warm-ups have run.
    patience: Option<Duration>,
}

impl<T: WarmupTemplate> WarmupQueue<T> {
    /// Queues the warm-ups of a graph whose sizes depend on these symbols.
    pub fn of(graph: &Graph, symbols: &Symbols, call: &FirstCall) -> WarmupQueue<T> {
        let all = T::all(graph, &mut symbols.clone());
        WarmupQueue { all, next: 0, call: call.clone(), seen: HashSet::new(), patience: None }
    }

    /// Waits this long after the last warm-up for a first call, then also returns the warm-ups at
    /// its sizes.
    pub fn patient(self, patience: Duration) -> WarmupQueue<T> {
        WarmupQueue { patience: Some(patience), ..self }
    }

    /// Returns true if there are no warm-ups.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the next warm-up that differs from all before it.
    fn unseen(&mut self) -> Option<T::Warmup> {
        let WarmupQueue { all, next, call, seen, .. } = self;
        let rest = all.get(*next..)?.iter().inspect(|_| *next += 1);
        rest.filter_map(|template| template.at(call.get())).find(|found| seen.insert(found.clone()))
    }
}

impl<T: WarmupTemplate> Iterator for WarmupQueue<T> {
    type Item = T::Warmup;

    fn next(&mut self) -> Option<T::Warmup> {
        if self.call.never_comes() {
            return None;
        }
        self.unseen().or_else(|| {
            self.call.wait(self.patience.take()?);
            self.call.get()?;
            self.next = 0;
            self.unseen()
        })
    }
}

/// Returns the sizes of a node's argument as expressions, and their values at export.
fn sizes(graph: &Graph, node: &Node, name: &str, symbols: &mut Symbols) -> Option<(Vec<Dim>, Vec<i64>)> {
    let sizes = &graph.meta(node.argument(name)?.value()?)?.sizes;
    let mut dim = |size: &SymInt| match size {
        SymInt::Int(size) => Some(Dim::Fixed(*size)),
        SymInt::Expr(expr) => Expr::parse(&expr.expr_str, symbols).ok().map(Dim::Expr),
    };
    let dims = sizes.iter().map(&mut dim).collect::<Option<_>>()?;
    Some((dims, at_export(sizes)?))
}

fn at_export(all: &[SymInt]) -> Option<Vec<i64>> {
    all.iter().map(SymInt::at_export).collect()
}

fn in_call(dims: &[Dim], call: Option<&Bindings>) -> Option<Vec<i64>> {
    let size = |dim: &Dim| match dim {
        Dim::Fixed(size) => Some(*size),
        Dim::Expr(expr) => expr.eval_int(call?).ok(),
    };
    let sizes: Option<Vec<i64>> = dims.iter().map(size).collect();
    // An empty tensor needs no kernel.
    sizes.filter(|sizes| sizes.iter().all(|size| *size > 0))
}
