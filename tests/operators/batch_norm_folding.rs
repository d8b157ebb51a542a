//! Factors and shifts of folded norms equal the formula's, for every dtype and optional operand.

use crate::call::call;
use crate::reference::as_tch;
use pt2::exec::Input;
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;

const EPSILON: f64 = 1e-3;

/// Two vectors for each of variance, mean, weight, bias and the bias before.
const VECTORS: [&str; 10] = ["v", "v2", "m", "m2", "g", "g2", "b", "b2", "o", "o2"];

fn numbers(seed: usize, count: usize) -> Vec<f64> {
    (0..count).map(|at| 0.25 + ((at * 37 + seed * 11) % 64) as f64 / 32.0).collect()
}

/// Numbers that every dtype here holds exactly.
fn tensor(dtype: ScalarType, values: &[f64]) -> Tensor {
    let bytes = values.iter().flat_map(|value| match dtype {
        ScalarType::Double => value.to_le_bytes().to_vec(),
        ScalarType::BFloat16 => (*value as f32).to_le_bytes()[2..].to_vec(),
        _ => (*value as f32).to_le_bytes().to_vec(),
    });
    Tensor::from_bytes(dtype, &[values.len() as i64], &bytes.collect::<Vec<_>>()).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let double = as_tch(tensor).to_kind(tch::Kind::Double);
    Vec::<f64>::try_from(&double).unwrap()
}

fn check(norm: ScalarType, before: ScalarType, result: &str, tolerance: f64, missing: &[&str]) {
    let given: Vec<Vec<f64>> =
        (0..VECTORS.len()).map(|at| numbers(at, if at % 2 == 0 { 16 } else { 48 })).collect();
    let dtype = |at: usize| if at < 8 { norm } else { before };
    let inputs: Vec<Input> =
        given.iter().enumerate().map(|(at, values)| Input::Tensor(tensor(dtype(at), values))).collect();
    let parameters = VECTORS.map(|name| format!("%{name}: tensor")).join(", ");
    let list =
        |name: &str| if missing.contains(&name) { "[]".into() } else { format!("[%{name}, %{name}2]") };
    let text = format!(
        "graph({parameters}) {{
           [%f: tensor, %s: tensor] = pt2::fold_norms.default(variances={}, means={}, weights={}, biases={}, \
             old_biases={}, epsilon={EPSILON}, dtype={result})
           return (%f, %s)
         }}",
        list("v"),
        list("m"),
        list("g"),
        list("b"),
        list("o"),
    );
    let found: Vec<Vec<f64>> = call(&text, &inputs).unwrap().iter().map(values).collect();
    let joined = |at: usize, name: &str, other: f64| match missing.contains(&name) {
        true => vec![other; 64],
        false => [given[at].clone(), given[at + 1].clone()].concat(),
    };
    let (v, m) = (joined(0, "v", 0.0), joined(2, "m", 0.0));
    let (g, b, o) = (joined(4, "g", 1.0), joined(6, "b", 0.0), joined(8, "o", 0.0));
    for at in 0..64 {
        let factor = g[at] / (v[at] + EPSILON).sqrt();
        let shift = b[at] + (o[at] - m[at]) * factor;
        assert!(
            (found[0][at] - factor).abs() <= 1e-6 * factor.abs(),
            "{norm} {at}: {} {factor}",
            found[0][at]
        );
        let allowed = tolerance * shift.abs().max(1.0);
        assert!((found[1][at] - shift).abs() <= allowed, "{norm} {at}: {} {shift}", found[1][at]);
    }
}

#[test]
fn every_dtype() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    check(ScalarType::Float, ScalarType::Float, "torch.float32", 1e-6, &[]);
    check(ScalarType::Double, ScalarType::Double, "torch.float64", 1e-14, &[]);
    check(ScalarType::BFloat16, ScalarType::BFloat16, "torch.bfloat16", 8e-3, &[]);
    check(ScalarType::Float, ScalarType::BFloat16, "torch.bfloat16", 8e-3, &[]);
    check(ScalarType::Float, ScalarType::Double, "torch.float64", 1e-6, &[]);
}

#[test]
fn optional_parameters_may_be_absent() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    for missing in [&["g"][..], &["b"], &["o"], &["g", "b", "o"]] {
        check(ScalarType::Float, ScalarType::Float, "torch.float32", 1e-6, missing);
    }
}

/// Loading runs these kernels on tensors from an archive: every mismatch is an error.
#[test]
fn what_does_not_fit_is_an_error() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    let vector = |count: usize| Input::Tensor(tensor(ScalarType::Float, &vec![1.0; count]));
    let sized = |sizes: &[i64]| {
        let count = sizes.iter().product::<i64>() as usize;
        Input::Tensor(Tensor::from_bytes(ScalarType::Float, sizes, &vec![0; count * 4]).unwrap())
    };
    let long = Input::Tensor(Tensor::from_bytes(ScalarType::Long, &[4], &[0; 32]).unwrap());
    let fold = |variances: &str, means: &str, dtype: &str| {
        format!(
            "[%r: tensor, %s: tensor] = pt2::fold_norms.default(variances={variances}, means={means}, weights=[], \
             biases=[], old_biases=[], epsilon=0.1, dtype={dtype})"
        )
    };
    let product =
        "%r: tensor = pt2::product.default(self=%a, other=%b, memory_format=torch.contiguous_format)";
    let weight = |padding: &str| {
        format!(
            "%r: tensor = pt2::convolution_weight.default(self=%a, factors=none, padding={padding}, stride=[1, 1], \
             dilation=[1, 1], groups=1)"
        )
    };
    let blocks = |block: &str, before: &str, channels: i64| {
        format!(
            "%r: tensor = pt2::space_to_depth.default(self=%a, block={block}, before={before}, after=[0, 0], \
             channels={channels})"
        )
    };
    let image = || sized(&[1, 1, 4, 4]);
    for (line, a, b) in [
        // No tensor in place of numbers that are read, and numbers beyond the last.
        (fold("[%a]", "[%b]", "torch.float32"), vector(4), vector(0)),
        (fold("[%a]", "[%b]", "torch.float32"), vector(4), vector(3)),
        (fold("[%a, %b]", "[%b, %a]", "torch.float32"), vector(4), vector(3)),
        (fold("[%a, %a]", "[%b]", "torch.float32"), vector(2), vector(4)),
        (fold("[%a]", "[]", "torch.float32"), vector(4), vector(4)),
        (fold("[]", "[]", "torch.float32"), vector(4), vector(4)),
        (fold("[%a]", "[%b]", "torch.float32"), vector(4), sized(&[2, 2])),
        (fold("[%a]", "[%b]", "torch.float32"), vector(4), long),
        (fold("[%a]", "[%b]", "torch.int64"), vector(4), vector(4)),
        (product.into(), sized(&[4, 1]), sized(&[1, 4])),
        (product.into(), sized(&[4]), sized(&[4, 4])),
        (product.into(), sized(&[4]), sized(&[3])),
        (weight("[0, 0]"), vector(4), vector(4)),
        (weight("[0, 0]"), sized(&[4, 4]), vector(4)),
        (weight("[0]"), image(), vector(4)),
        (blocks("[2, 2]", "[0, 0]", 16), sized(&[4, 4]), vector(4)),
        (blocks("[0, 2]", "[0, 0]", 16), image(), vector(4)),
        (blocks("[3, 2]", "[0, 0]", 16), image(), vector(4)),
        (blocks("[2, 2]", "[-2, 0]", 16), image(), vector(4)),
        (blocks("[2, 2]", "[0, 0]", 3), image(), vector(4)),
        (blocks("[2, 2]", "[9223372036854775804, 0]", 16), image(), vector(4)),
        (blocks("[4611686018427387904, 4]", "[4611686018427387900, 0]", 16), image(), vector(4)),
        (blocks("[2]", "[0, 0]", 16), image(), vector(4)),
    ] {
        let text = format!("graph(%a: tensor, %b: tensor) {{ {line} return (%r) }}");
        let refused = call(&text, &[a, b]);
        assert!(matches!(&refused, Err(pt2::Error::Operator { .. })), "{line}: {refused:?}");
    }
}
