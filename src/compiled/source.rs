//! What the C++ source beside a library tells of its calls. The source is never compiled.
//!
//! AOTInductor writes a function for each input that compares it with what was compiled, and calls these functions
//! only where an environment variable says so (`generate_input_output_runtime_checks` in
//! `torch/_inductor/codegen/cpp_wrapper_cpu.py` 2.11). Their conditions are one to a line. A line that is not
//! understood tells nothing; what a later check would miss is said in [`SourceInput`] by None.

use crate::program::schema::ScalarType;
use std::collections::{BTreeMap, BTreeSet};

/// The most dimensions of a tensor that are believed.
const MAX_RANK: usize = 64;

/// The calls of a library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What it takes, in order, as far as it is told.
    pub inputs: Vec<SourceInput>,
    /// The tree of inputs.
    pub in_spec: String,
    /// The tree of outputs.
    pub out_spec: String,
    /// How many outputs it gives.
    pub outputs: usize,
    /// The file names of the kernels that it loads.
    pub kernels: BTreeSet<String>,
    /// Whether its weights are to be given to it after it was loaded.
    pub weights_outside: bool,
}

/// One tensor that a library takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceInput {
    /// Its name in the source, such as `arg9_1`.
    pub name: String,
    /// Its element type; None where the source does not tell, and then nothing else is told.
    pub dtype: Option<ScalarType>,
    /// libtorch's number for the kind of device it has to be on.
    pub device_type: Option<i32>,
    /// Its sizes.
    pub sizes: Vec<SourceSize>,
    /// Its strides; None for one that depends on sizes.
    pub strides: Vec<Option<i64>>,
}

/// One size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSize {
    /// The only one that was compiled for.
    pub fixed: Option<i64>,
    /// The least one.
    pub min: Option<i64>,
    /// The greatest one as it is written, which may stand for none.
    pub max: Option<i64>,
    /// The variable that holds it, such as `s77`.
    pub symbol: Option<String>,
}

impl SourceSize {
    /// The greatest one, if there is one: `int_oo` is written as the largest int or one less.
    pub fn max(&self) -> Option<i64> {
        self.max.filter(|max| *max < i64::MAX - 1)
    }
}

impl Source {
    /// Reads a source.
    pub fn parse(text: &str) -> Source {
        let mut source = Source::default();
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
        source.inputs = inputs(named);
        let speak =
            |line: &&str| ["if (", "int32_t ", "int64_t "].iter().any(|start| line.starts_with(start));
        let lines: Vec<&str> = text.lines().map(str::trim).filter(speak).collect();
        source.inputs.iter_mut().for_each(|input| input.read(&lines));
        source
    }
}

/// Inputs are numbered from 0 without gaps, or nothing is believed.
fn inputs(named: BTreeMap<usize, String>) -> Vec<SourceInput> {
    let gapless = named.keys().enumerate().all(|(count, place)| count == *place);
    let names = named.into_values().filter(|_| gapless);
    names.map(|name| SourceInput { name, ..SourceInput::default() }).collect()
}

/// Kernels are loaded by `loadKernel("<path>.cubin", …)`; only the last part of the path counts (`loadKernel` in
/// `cpp_wrapper/device_internal/cuda.h`).
fn kernels(text: &str) -> BTreeSet<String> {
    let quoted = text.lines().filter(|line| line.contains(".cubin\"")).flat_map(|line| line.split('"'));
    let files =
        quoted.filter(|text| text.ends_with(".cubin")).map(|path| path.rsplit('/').next().unwrap_or(path));
    files.map(str::to_owned).collect()
}

/// `AOTInductorModelBase(inputs, outputs, constants, device, folder, include_weights)`: the last is false where the
/// weights were left out (`aot_inductor.package_constants_in_so`), which matters if there are any.
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

impl SourceInput {
    /// Reads all lines that speak of this input. Its name is a variable of its own in the whole source.
    fn read(&mut self, lines: &[&str]) {
        for line in lines {
            self.read_condition(line);
            self.read_declaration(line);
        }
        let rank = self.sizes.len().max(self.strides.len());
        self.sizes.resize_with(rank, SourceSize::default);
        self.strides.resize(rank, None);
    }

    /// Such as `if (16 != arg9_1_size[2]) {`.
    fn read_condition(&mut self, line: &str) {
        let Some(condition) = line.strip_prefix("if (").and_then(|rest| rest.strip_suffix(") {")) else {
            return;
        };
        if let Some((value, variable)) = condition.split_once(" != ") {
            let Ok(value) = value.parse() else { return };
            if let Some(at) = self.element(variable, "_size") {
                self.size(at, |size| size.fixed = Some(value));
            } else if let Some(at) = self.element(variable, "_stride") {
                self.stride(at, value);
            }
        } else if let Some((variable, value)) = condition.split_once(" < ") {
            self.bound(variable, value, |size| &mut size.min);
        } else if let Some((variable, value)) = condition.split_once(" > ") {
            self.bound(variable, value, |size| &mut size.max);
        }
    }

    /// Such as `int32_t arg9_1_expected_dtype = aoti_torch_dtype_float32();`.
    fn read_declaration(&mut self, line: &str) {
        let Some((declared, value)) = line.strip_suffix(';').and_then(|line| line.split_once(" = ")) else {
            return;
        };
        let Some((kind, variable)) = declared.split_once(' ') else { return };
        let of_input = variable.strip_prefix(self.name.as_str());
        match (kind, of_input) {
            ("int32_t", Some("_expected_dtype")) => self.dtype = dtype(value),
            ("int32_t", Some("_expected_device_type")) => self.device_type = value.parse().ok(),
            ("int64_t", None) => {
                if let Some(at) = self.element(value, "_size") {
                    self.size(at, |size| size.symbol = size.symbol.take().or_else(|| Some(variable.into())));
                }
            }
            _ => {}
        }
    }

    fn bound(&mut self, variable: &str, value: &str, side: fn(&mut SourceSize) -> &mut Option<i64>) {
        if let (Some(at), Ok(value)) = (self.element(variable, "_size"), value.parse()) {
            self.size(at, |size| *side(size) = Some(value));
        }
    }

    /// The index in `arg9_1_size[2]`.
    fn element(&self, text: &str, array: &str) -> Option<usize> {
        let index = text.strip_prefix(self.name.as_str())?.strip_prefix(array)?;
        let index = index.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
        (index < MAX_RANK).then_some(index)
    }

    fn size(&mut self, at: usize, change: impl FnOnce(&mut SourceSize)) {
        if self.sizes.len() <= at {
            self.sizes.resize_with(at + 1, SourceSize::default);
        }
        if let Some(size) = self.sizes.get_mut(at) {
            change(size);
        }
    }

    fn stride(&mut self, at: usize, value: i64) {
        if self.strides.len() <= at {
            self.strides.resize(at + 1, None);
        }
        if let Some(stride) = self.strides.get_mut(at) {
            *stride = Some(value);
        }
    }
}

/// The names that `aoti_torch/c/shim.h` 2.11 has for element types.
fn dtype(call: &str) -> Option<ScalarType> {
    use ScalarType::*;
    Some(match call.strip_prefix("aoti_torch_dtype_")?.strip_suffix("()")? {
        "uint8" => Byte,
        "int8" => Char,
        "int16" => Short,
        "int32" => Int,
        "int64" => Long,
        "float16" => Half,
        "float32" => Float,
        "float64" => Double,
        "complex32" => ComplexHalf,
        "complex64" => ComplexFloat,
        "complex128" => ComplexDouble,
        "bool" => Bool,
        "bfloat16" => BFloat16,
        "uint16" => UInt16,
        "uint32" => UInt32,
        "uint64" => UInt64,
        "float8_e4m3fn" => Float8E4M3Fn,
        "float8_e5m2" => Float8E5M2,
        "float8_e4m3fnuz" => Float8E4M3FnUz,
        "float8_e5m2fnuz" => Float8E5M2FnUz,
        "float8_e8m0fnu" => Float8E8M0Fnu,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as PyTorch 2.11 wrote them.
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
"#;

    #[test]
    fn checks_tell_what_was_compiled_for() {
        let source = Source::parse(TEXT);
        let batch = SourceSize { fixed: None, min: Some(2), max: Some(15), symbol: Some("s77".into()) };
        let channels = SourceSize { fixed: Some(3), ..SourceSize::default() };
        let input = SourceInput {
            name: "arg9_1".into(),
            dtype: Some(ScalarType::Float),
            device_type: Some(0),
            sizes: vec![batch, channels],
            strides: vec![None, Some(1)],
        };
        assert_eq!((&source.inputs[..], source.outputs), (&[input][..], 1));
        assert_eq!(source.kernels, BTreeSet::from(["cabc.cubin".to_owned()]));
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
            Source::parse(&call).weights_outside
        };
        assert!(outside("3", "false") && !outside("3", "true") && !outside("0", "false"));
        assert!(!Source::parse("AOTInductorModelBase(false").weights_outside);
    }

    #[test]
    fn what_is_not_understood_tells_nothing() {
        for text in ["", "inputs_info_[1].name = \"x\";", "inputs_info_[x].name = \"x\";", "in_spec_ = 7;"] {
            assert_eq!(Source::parse(text), Source::default(), "{text}");
        }
        let strange = "inputs_info_[0].name = \"x\";\nif (x_size[99999999999] < 2) {\nif (3 != x_size[9999]) {\n\
                       int32_t x_expected_dtype = aoti_torch_dtype_float4();\nif (y != x_size[0]) {";
        let input = SourceInput { name: "x".into(), ..SourceInput::default() };
        assert_eq!(Source::parse(strange).inputs, [input]);
    }
}
