//! Reads the interface of a library's calls from the C++ source beside it, which is never compiled.
//!
//! AOTInductor generates a function per input that compares the input with the compiled
//! assumptions. The library calls these functions only if an environment variable is set
//! (`generate_input_output_runtime_checks` in `torch/_inductor/codegen/cpp_wrapper_cpu.py` 2.11).
//!
//! Each line holds one condition. Unknown lines are ignored. A property that remains unknown is
//! None in [`DeclaredInput`].

mod input;

use input::Fact;
pub use input::{DeclaredInput, DeclaredSize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Declarations about the calls of a library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrapperSource {
    /// The inputs in order. Properties that the source does not declare are None.
    pub inputs: Vec<DeclaredInput>,
    /// The pytree of the inputs.
    pub in_spec: String,
    /// The pytree of the outputs.
    pub out_spec: String,
    /// The number of outputs.
    pub outputs: usize,
    /// The file names of the kernels that it loads.
    pub kernels: BTreeSet<String>,
    /// True if the library does not contain its weights, so that they must be passed to it after
    /// loading.
    pub weights_outside: bool,
}

impl WrapperSource {
    /// Parses a wrapper source.
    pub fn parse(text: &str) -> WrapperSource {
        let mut source = WrapperSource::default();
        let mut named: BTreeMap<usize, String> = BTreeMap::new();
        for line in text.lines().map(str::trim) {
            if let Some((place, name)) = named_input(line) {
                named.insert(place, name.into());
            } else if line.starts_with("outputs_info_[") && line.contains("].name = ") {
                source.outputs += 1;
            } else if let Some(spec) = raw_text(line, "in_spec_ = ") {
                source.in_spec = spec.into();
            } else if let Some(spec) = raw_text(line, "out_spec_ = ") {
                source.out_spec = spec.into();
            }
        }
        source.kernels = kernels(text);
        source.weights_outside = weights_outside(text);
        source.inputs = inputs(named, text);
        source
    }
}

/// Limit on the dimensions of all inputs together. A line about dimension 63 creates the 63 before
/// it.
const MAX_DIMENSIONS: usize = 1 << 16;

/// Reads all inputs in one pass, because each line names its input. Returns no inputs unless they
/// are numbered from 0 without gaps and have distinct names.
fn inputs(named: BTreeMap<usize, String>, text: &str) -> Vec<DeclaredInput> {
    let gapless = named.keys().enumerate().all(|(count, place)| count == *place);
    let names: Vec<String> = named.into_values().collect();
    let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    if !gapless || places.len() != names.len() {
        return Vec::new();
    }
    let named = |name: &String| DeclaredInput { name: name.clone(), ..DeclaredInput::default() };
    let mut inputs: Vec<DeclaredInput> = names.iter().map(named).collect();
    let mut left = MAX_DIMENSIONS;
    for (name, fact) in text.lines().filter_map(|line| Fact::read(line.trim())) {
        let Some(input) = places.get(name).and_then(|place| inputs.get_mut(*place)) else { continue };
        match input.take(fact, left) {
            Some(more) => left -= more,
            None => return names.iter().map(named).collect(),
        }
    }
    inputs
}

/// Collects the file names of kernels. `loadKernel("<path>.cubin", …)` uses only the last component
/// of the path (`cpp_wrapper/device_internal/cuda.h`). So do `loadCpuTritonKernel("<path>.so", …)`
/// and `loadCpuTritonLauncher` (`aoti_runtime/cpu_triton_runtime_wrappers.h` 2.13).
fn kernels(text: &str) -> BTreeSet<String> {
    let cubins = text.lines().filter(|line| line.contains(".cubin\"")).flat_map(|line| line.split('"'));
    let cubins = cubins.filter(|text| text.ends_with(".cubin"));
    let calls = text.split("loadCpuTriton").skip(1);
    let libraries = calls.filter_map(|call| call.split('"').nth(1)).filter(|path| path.ends_with(".so"));
    cubins.chain(libraries).map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()).collect()
}

/// Returns true if the library has weights but does not contain them
/// (`aot_inductor.package_constants_in_so`).
///
/// The last argument of `AOTInductorModelBase(inputs, outputs, constants, device, folder,
/// include_weights)` is then false.
fn weights_outside(text: &str) -> bool {
    let call = text.split_once("AOTInductorModelBase(").and_then(|(_, rest)| rest.split_once(") {"));
    let arguments: Vec<&str> =
        call.map(|(arguments, _)| arguments.split(',').map(str::trim).collect()).unwrap_or_default();
    matches!(arguments[..], [_, _, constants, _, _, "false"] if constants != "0")
}

fn named_input(line: &str) -> Option<(usize, &str)> {
    let (place, name) = line.strip_prefix("inputs_info_[")?.split_once("].name = \"")?;
    Some((place.parse().ok()?, name.strip_suffix("\";")?))
}

fn raw_text<'a>(line: &'a str, assigned: &str) -> Option<&'a str> {
    line.strip_prefix(assigned)?.strip_prefix("R\"(")?.strip_suffix(")\";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::schema::ScalarType;

    /// Lines as written by PyTorch 2.11.
    const TEXT: &str = r#"
    inputs_info_[0].name = "arg9_1";
    in_spec_ = R"([1, {"type": null}])";
    out_spec_ = R"([1, {}])";
    outputs_info_[0].name = "output0";
    int32_t arg9_1_expected_dtype = aoti_torch_dtype_float32();
    if (arg9_1_expected_dtype != arg9_1_dtype) {
    if (arg9_1_size[0] < 2) {
    if (arg9_1_size[0] > 15) {
    if (3 != arg9_1_size[1]) {
    if (1 != arg9_1_stride[1]) {
    int32_t arg9_1_expected_device_type = 0;
    int64_t s77 = arg9_1_size[0];
    kernels.add = loadKernel("/tmp/x/cabc.cubin", "add", 0, this->cubin_dir_);
    kernels_.mul_kernel_fn = loadCpuTritonKernel(
        "/tmp/x/cdef.so", "mul", cubin_dir_);
"#;

    #[test]
    fn checks_tell_what_was_compiled_for() {
        let source = WrapperSource::parse(TEXT);
        let batch = DeclaredSize { fixed: None, min: Some(2), max: Some(15), symbol: Some("s77".into()) };
        let channels = DeclaredSize { fixed: Some(3), ..DeclaredSize::default() };
        let input = DeclaredInput {
            name: "arg9_1".into(),
            dtype: Some(ScalarType::Float),
            device_type: Some(0),
            sizes: vec![batch, channels],
            strides: vec![None, Some(1)],
        };
        assert_eq!((&source.inputs[..], source.outputs), (&[input][..], 1));
        assert_eq!(source.kernels, BTreeSet::from(["cabc.cubin".to_owned(), "cdef.so".to_owned()]));
        assert_eq!(
            (source.in_spec.as_str(), source.out_spec.as_str()),
            (r#"[1, {"type": null}]"#, "[1, {}]")
        );
    }

    #[test]
    fn weights_that_were_left_out_are_told() {
        let outside = |constants: &str, included: &str| {
            let call = format!(
                "    : AOTInductorModelBase(1,\n 2,\n {constants},\n device_str,\n std::move(cubin_dir),\n {included}) {{\n"
            );
            WrapperSource::parse(&call).weights_outside
        };
        assert!(outside("3", "false") && !outside("3", "true") && !outside("0", "false"));
        assert!(!WrapperSource::parse("AOTInductorModelBase(false").weights_outside);
    }

    #[test]
    fn what_is_not_understood_tells_nothing() {
        for text in ["", "inputs_info_[1].name = \"x\";", "inputs_info_[x].name = \"x\";", "in_spec_ = 7;"] {
            assert_eq!(WrapperSource::parse(text), WrapperSource::default(), "{text}");
        }
        let strange = "inputs_info_[0].name = \"x\";\nif (x_size[99999999999] < 2) {\nif (3 != x_size[9999]) {\n\
                       int32_t x_expected_dtype = aoti_torch_dtype_float4();\nif (y != x_size[0]) {";
        let input = DeclaredInput { name: "x".into(), ..DeclaredInput::default() };
        assert_eq!(WrapperSource::parse(strange).inputs, [input]);
    }
}
