//! Warm-up: what to run on a CUDA device before the first call, so that kernels are loaded beside other work.
//! Sizes are those of the first call once it is known, else those of the export: other batches use much the same
//! kernels.

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

/// An operator of a program, whose sizes depend on the call.
pub trait WarmupTemplate: Sized {
    /// What is run.
    type Warmup: Clone + Eq + Hash;

    /// All in a graph whose sizes depend on these symbols, in the order in which they run.
    fn all(graph: &Graph, symbols: &mut Symbols) -> Vec<Self>;

    /// At the sizes of a call if there is one that tells them; None where it takes too much memory.
    fn at(&self, call: Option<&Bindings>) -> Option<Self::Warmup>;
}

/// Each warm-up once, as long as a call may come.
#[derive(Debug)]
pub struct WarmupQueue<T: WarmupTemplate> {
    all: Vec<T>,
    next: usize,
    call: FirstCall,
    seen: HashSet<T::Warmup>,
    /// How long a call is waited for when all were run before it came.
    patience: Option<Duration>,
}

impl<T: WarmupTemplate> WarmupQueue<T> {
    /// Those of a graph whose sizes depend on these symbols.
    pub fn of(graph: &Graph, symbols: &Symbols, call: &FirstCall) -> WarmupQueue<T> {
        let all = T::all(graph, &mut symbols.clone());
        WarmupQueue { all, next: 0, call: call.clone(), seen: HashSet::new(), patience: None }
    }

    /// The same, and once more at the sizes of a call that comes this long after the last warm-up.
    pub fn patient(self, patience: Duration) -> WarmupQueue<T> {
        WarmupQueue { patience: Some(patience), ..self }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The next that differs from all before it.
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

/// The sizes that an argument of a node has, and those it had at export.
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
    // Nothing is computed of an empty tensor.
    sizes.filter(|sizes| sizes.iter().all(|size| *size > 0))
}
