//! Convolution fusion: a convolution, the sum after it and the activation after that become one
//! call.
//!
//! Runs after batch norm folding, because batch norm separates them. The call replaces the last of
//! the nodes, so no node between the first and the last may write to its operands. In-place
//! operations are fused if no other node reads that memory.
//!
//! Nothing is fused if a library's calls return another layout than `aten`'s and the difference
//! would be visible.

use super::activation::Activation;
use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::channels_last;
use super::constant_analysis::ConstantSet;
use super::convolution::{Convolution, Epilogue, Library, has_noncontiguous_volumes};
use super::device_profile::{DeviceProfile, FusedConvolution};
use super::graph_edit::GraphEdit;
use super::onednn_prepack::Prepack;
use super::sum::Sum;
use super::uses::Uses;
use crate::Result;
use crate::graph::{Function, Graph, Node, ValueId};
use crate::program::schema::ScalarType;
use std::collections::{HashMap, HashSet};

/// Fuses where the device has calls for it.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    let Some(fused) = profile.convolution else { return Ok(Changed::No) };
    let aliases = AliasAnalysis::of_function(function);
    let constants = ConstantSet::of(function, &aliases);
    let mut finder = ChainFinder {
        graph: &function.graph,
        fused,
        patches: profile.patches,
        reordered_volumes: has_noncontiguous_volumes(&function.graph),
        uses: Uses::of(&function.graph),
        makers: function.graph.makers(),
        aliases,
        constants,
        taken: HashSet::new(),
    };
    let chains: Vec<Chain> =
        (0..function.graph.nodes.len()).filter_map(|index| finder.chain_from(index)).collect();
    let before = function.graph.clone();
    let mut rewrite = GraphEdit::new(&mut function.graph);
    chains.into_iter().for_each(|chain| chain.apply(fused, &mut rewrite));
    let changed = rewrite.finish();
    if fused.library.fixes_layout() && !channels_last::can_be_followed(&function.graph) {
        function.graph = before;
        return Ok(Changed::No);
    }
    Ok(changed)
}

/// Nodes that become one call.
struct Chain {
    conv: Convolution,
    epilogue: Epilogue,
    /// Positions of the nodes, the convolution first.
    nodes: Vec<usize>,
    last: Node,
    result: ValueId,
    prepack: Prepack,
}

struct ChainFinder<'a> {
    graph: &'a Graph,
    fused: FusedConvolution,
    patches: &'static [ScalarType],
    reordered_volumes: bool,
    uses: Uses,
    /// Position of the node that defines each value.
    makers: HashMap<ValueId, usize>,
    aliases: AliasAnalysis,
    constants: ConstantSet,
    /// Nodes that belong to a chain.
    taken: HashSet<usize>,
}

impl ChainFinder<'_> {
    fn chain_from(&mut self, index: usize) -> Option<Chain> {
        let node = self.graph.nodes.get(index)?;
        let conv = Convolution::of(node)?;
        let result = node.result()?;
        if !self.is_supported(&conv, result) {
            return None;
        }
        let mut chain = Chain {
            epilogue: Epilogue::default(),
            nodes: vec![index],
            last: node.clone(),
            result,
            prepack: self.prepack(&conv)?,
            conv,
        };
        let plain = self.extended(&mut chain, false);
        if !plain {
            self.extended(&mut chain, true);
        }
        if !self.fused.library.does(&chain.epilogue) {
            return None;
        }
        self.taken.extend(&chain.nodes);
        Some(chain)
    }

    fn prepack(&self, conv: &Convolution) -> Option<Prepack> {
        let maker = self.makers.get(&conv.weight).copied();
        Prepack::of(conv, self.graph, maker, &self.uses, &self.constants)
    }

    /// Extends the chain by the following sum and activation; with `without_sum`, by the activation
    /// only. Returns false if the library has no such call, or if the nodes cannot move.
    fn extended(&self, chain: &mut Chain, without_sum: bool) -> bool {
        let mut longer =
            Longer { epilogue: Epilogue::default(), nodes: chain.nodes.clone(), result: chain.result };
        if !without_sum {
            self.take_sum(&mut longer);
        }
        self.take_activation(&mut longer);
        let fits = self.fused.library.does(&longer.epilogue) && self.may_move(&chain.conv, &longer);
        if fits {
            chain.last =
                longer.nodes.last().and_then(|at| self.graph.nodes.get(*at)).unwrap_or(&chain.last).clone();
            (chain.epilogue, chain.nodes, chain.result) = (longer.epilogue, longer.nodes, longer.result);
        }
        fits
    }

    fn take_sum(&self, chain: &mut Longer) -> Option<()> {
        let (at, node) = self.follower(chain.result)?;
        let sum = Sum::of(node)?;
        let other = sum.other_than(chain.result)?;
        // An in-place sum must write to the convolution's own memory.
        if sum.in_place && sum.left != chain.result {
            return None;
        }
        let result = node.result()?;
        let (one, two) = (self.graph.meta(chain.result)?, self.graph.meta(other)?);
        if one.sizes != two.sizes || one.dtype != two.dtype || self.graph.meta(result)?.dtype != one.dtype {
            return None;
        }
        chain.epilogue.other = Some(other);
        chain.nodes.push(at);
        chain.result = result;
        Some(())
    }

    fn take_activation(&self, chain: &mut Longer) -> Option<()> {
        let (at, node) = self.follower(chain.result)?;
        let (activation, _) = Activation::of(node)?;
        let with = Epilogue { activation: Some(activation), ..chain.epilogue.clone() };
        if self.fused.library.does(&with) {
            chain.epilogue = with;
            chain.nodes.push(at);
            chain.result = node.result()?;
        }
        Some(())
    }

    /// Returns the only user of a value, unless it belongs to a chain.
    fn follower(&self, value: ValueId) -> Option<(usize, &Node)> {
        let at = self.uses.single_user(value).filter(|at| !self.taken.contains(at))?;
        Some((at, self.graph.nodes.get(at)?))
    }

    /// Returns true if the operands of the convolution and of the sum are unchanged at the position
    /// of the last node.
    fn may_move(&self, conv: &Convolution, chain: &Longer) -> bool {
        let (Some(first), Some(last)) = (chain.nodes.first(), chain.nodes.last()) else { return false };
        let is_kept = |value: ValueId, from: usize| {
            let inside = (from + 1)..*last;
            let others = inside.filter(|at| !chain.nodes.contains(at));
            others.into_iter().all(|at| !self.aliases.written(value, at..at + 1))
        };
        let sum = chain.nodes.get(1).copied().unwrap_or(*last);
        is_kept(conv.input, *first) && chain.epilogue.other.is_none_or(|other| is_kept(other, sum))
    }

    fn is_supported(&self, conv: &Convolution, result: ValueId) -> bool {
        let FusedConvolution { dtypes, spatial, grouped, longest, .. } = self.fused;
        let constant =
            [Some(conv.weight), conv.bias].into_iter().flatten().all(|value| self.constants.contains(value));
        let typed = [conv.input, conv.weight, result].iter().all(|value| {
            let meta = self.graph.meta(*value);
            meta.is_some_and(|meta| dtypes.contains(&meta.dtype) && meta.sizes.len() == conv.spatial() + 2)
        });
        let ordered = conv.spatial() != 3 || !self.reordered_volumes;
        let done = ordered && spatial.contains(&conv.spatial()) && (grouped || conv.groups == 1);
        let short = conv.terms(self.graph).is_some_and(|terms| terms <= longest);
        constant && typed && done && short && !conv.makes_patches(self.graph, self.patches)
    }
}

/// Candidate extension of a chain.
struct Longer {
    epilogue: Epilogue,
    nodes: Vec<usize>,
    result: ValueId,
}

impl Chain {
    fn apply(self, fused: FusedConvolution, rewrite: &mut GraphEdit) {
        let Some((at, earlier)) = self.nodes.split_last() else { return };
        let weight = match fused.library {
            Library::OneDnn => self.prepack.insert(&self.conv, *at, rewrite),
            Library::CuDnn => self.conv.weight,
        };
        let call = fused.library.call(&self.conv, weight, self.conv.bias, &self.epilogue, fused.autotune);
        rewrite.replace(*at, call.instead_of(&self.last, self.result));
        earlier.iter().for_each(|at| rewrite.remove(*at));
    }
}
