//! Linear fusion: a linear layer and the ReLU after it become one call, where the device's library
//! has it.
//!
//! cuBLAS applies ReLU while a product is still in registers; libtorch exposes that for matrices.
//! Leading dimensions are flattened for the call, so at most one of them may vary.
//!
//! The call's other activation is not used: its GELU is exact on one device and approximate on
//! another.

use super::activation::Activation;
use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::device_profile::DeviceProfile;
use super::graph_edit::{CallBuilder, GraphEdit};
use super::pt2_ops::ADDMM_RELU;
use super::uses::Uses;
use crate::Result;
use crate::graph::{Function, Graph, Node, ValueId};
use crate::program::schema::{PythonInt, SymExpr, SymExprHint, SymInt, TensorMeta};

/// Fuses where the device has a call for it.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    if profile.products.is_empty() {
        return Ok(Changed::No);
    }
    let uses = Uses::of(&function.graph);
    let graph = &function.graph;
    let mut found: Vec<LinearLayer> =
        (0..graph.nodes.len()).filter_map(|at| LinearLayer::at(graph, at, profile, &uses)).collect();
    if found.is_empty() {
        return Ok(Changed::No);
    }
    let aliases = AliasAnalysis::of_function(function);
    found.retain(|layer| layer.may_move(&aliases));
    let mut rewrite = GraphEdit::new(&mut function.graph);
    found.into_iter().for_each(|layer| layer.apply(&mut rewrite));
    Ok(rewrite.finish())
}

/// Linear layer with the ReLU after it.
struct LinearLayer {
    input: ValueId,
    weight: ValueId,
    bias: ValueId,
    /// Sizes of the result without the last; empty if the input is a matrix.
    leading: Vec<i64>,
    /// Metadata of the matrices that are multiplied.
    rows: Option<TensorMeta>,
    columns: TensorMeta,
    at: usize,
    /// Position and node of the ReLU.
    last_at: usize,
    last: Node,
    result: ValueId,
}

impl LinearLayer {
    fn at(graph: &Graph, at: usize, profile: &DeviceProfile, uses: &Uses) -> Option<LinearLayer> {
        let node = graph.nodes.get(at).filter(|node| node.is_aten("linear"))?;
        let value = |name: &str| node.argument(name)?.value();
        let (input, weight, bias) = (value("input")?, value("weight")?, value("bias")?);
        let product = node.result()?;
        let last_at = uses.single_user(product)?;
        let last = graph.nodes.get(last_at)?;
        if Activation::of(last)?.0 != Activation::Relu {
            return None;
        }
        let metas = [input, weight, bias, product].map(|value| graph.meta(value));
        let typed =
            |meta: &Option<&TensorMeta>| meta.is_some_and(|meta| profile.products.contains(&meta.dtype));
        let leading = leading(graph.meta(product)?)?;
        metas.iter().all(typed).then_some(LinearLayer {
            input,
            weight,
            bias,
            leading,
            rows: rows(graph.meta(input)?),
            columns: transposed(graph.meta(weight)?),
            at,
            last_at,
            last: last.clone(),
            result: last.result()?,
        })
    }

    /// Returns true if the layer's arguments are unchanged at the position of the ReLU.
    fn may_move(&self, aliases: &AliasAnalysis) -> bool {
        let between = self.at + 1..self.last_at;
        [self.input, self.weight, self.bias].iter().all(|read| !aliases.written(*read, between.clone()))
    }

    fn apply(self, rewrite: &mut GraphEdit) {
        let at = self.last_at;
        let columns = rewrite.insert(
            at,
            "weight_t",
            Some(self.columns),
            CallBuilder::aten("t", "default").with("self", self.weight),
        );
        let joined = CallBuilder::aten("flatten", "using_ints").with("self", self.input);
        let joined = joined.with("start_dim", 0i64).with("end_dim", -2i64);
        let rows =
            if self.leading.is_empty() { self.input } else { rewrite.insert(at, "rows", self.rows, joined) };
        let call = CallBuilder::of("pt2", ADDMM_RELU, "default")
            .with("self", self.bias)
            .with("mat1", rows)
            .with("mat2", columns);
        let call = if self.leading.is_empty() {
            call
        } else {
            let rows = rewrite.insert(at, "rectified", None, call);
            let parted = CallBuilder::aten("unflatten", "int").with("self", rows).with("dim", 0i64);
            parted.with("sizes", self.leading.as_slice())
        };
        rewrite.remove(self.at);
        rewrite.replace(at, call.instead_of(&self.last, self.result));
    }
}

/// Returns the sizes of a result without the last, -1 for the one that varies; empty for a matrix.
fn leading(product: &TensorMeta) -> Option<Vec<i64>> {
    let (_, leading) = product.sizes.split_last()?;
    let size = |size: &SymInt| match size {
        SymInt::Int(size) => *size,
        SymInt::Expr(_) => -1,
    };
    match leading {
        [] => None,
        [_] => Some(Vec::new()),
        many => {
            let sizes: Vec<i64> = many.iter().map(size).collect();
            // With a size of 0, `unflatten` cannot infer the one that varies.
            let is_inferable = sizes.iter().filter(|size| **size < 0).count() <= 1 && !sizes.contains(&0);
            is_inferable.then_some(sizes)
        }
    }
}

/// Returns the metadata of a transposed matrix.
fn transposed(meta: &TensorMeta) -> TensorMeta {
    let reversed = |numbers: &[SymInt]| numbers.iter().rev().cloned().collect();
    let (sizes, strides) = (reversed(&meta.sizes), reversed(&meta.strides));
    TensorMeta { sizes, strides, requires_grad: false, ..meta.clone() }
}

/// Returns the metadata of a tensor whose leading dimensions are flattened, if its rows are
/// contiguous.
fn rows(meta: &TensorMeta) -> Option<TensorMeta> {
    let (last, leading) = meta.sizes.split_last()?;
    let [.., row, one] = meta.strides.as_slice() else { return None };
    if row != last || *one != SymInt::Int(1) {
        return None;
    }
    let count = leading.iter().try_fold(SymInt::Int(1), |count, size| times(&count, size))?;
    let (sizes, strides) = (vec![count, last.clone()], vec![last.clone(), SymInt::Int(1)]);
    Some(TensorMeta { sizes, strides, requires_grad: false, ..meta.clone() })
}

fn times(left: &SymInt, right: &SymInt) -> Option<SymInt> {
    match (left, right) {
        (SymInt::Int(left), SymInt::Int(right)) => left.checked_mul(*right).map(SymInt::Int),
        (SymInt::Int(1), other) | (other, SymInt::Int(1)) => Some(other.clone()),
        (SymInt::Int(count), SymInt::Expr(expr)) | (SymInt::Expr(expr), SymInt::Int(count)) => {
            let expr_str = format!("Mul(Integer({count}), {})", expr.expr_str);
            let hint = count
                .checked_mul(SymInt::Expr(expr.clone()).at_export()?)
                .map(PythonInt::Small)
                .map(SymExprHint::Int);
            Some(SymInt::Expr(SymExpr { expr_str, hint }))
        }
        (SymInt::Expr(_), SymInt::Expr(_)) => None,
    }
}
