//! Arguments of the command line. The comments on fields are the help that `pt2 --help` shows.
//!
//! The program `pt2` (`crates/cli`) and its commands (`crates/cli-commands`) share them. Needs no
//! libtorch.
#![allow(rustdoc::broken_intra_doc_links, reason = "clap prints the comments as they are")]

mod device;
mod format;
mod selection;

pub use format::Format;
pub use selection::Selection;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use pt2_format::aoti::{Digest, Form};
use pt2_format::archive::{MemoryMode, ReadOptions};
use std::path::{Path, PathBuf};

/// Shows what is in a .pt2 file written by torch.export.save, and runs it without Python.
#[derive(Debug, Parser)]
#[command(name = "pt2", version, arg_required_else_help = true)]
pub struct Arguments<C: Subcommand> {
    /// Command with its own arguments.
    #[command(subcommand)]
    pub command: C,
}

/// Commands of the program.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process parses one command line")]
pub enum Command {
    /// Commands on a model.
    #[command(flatten)]
    Model(ModelCommand),
    /// Show which libtorch is used, whether CUDA and its driver fit, and what to do if not.
    ///
    /// Lists the places in which libtorch is looked for, with their results. Exits with 1 if no model can be loaded.
    Doctor,
}

/// Commands that need libtorch.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show models, inputs, outputs, guards, operators, weights and state.
    Inspect(Inspect),
    /// Run a model on tensors from files.
    ///
    /// The tensors of all --input files go to the model's inputs. Where every one of them is named like an input,
    /// as `pt2 inspect` shows it (args[0], or args.0 for short), names decide. Otherwise order does: files as
    /// given, arrays in the order of their .npz file. A .safetensors file has no order, so name its tensors like
    /// the inputs or choose with FILE:NAME,NAME. An input that is a constant of the program may be left out. Ints,
    /// floats and bools are arrays of one element.
    ///
    /// NumPy has no bfloat16: an input that is bfloat16 takes uint16 arrays as bit patterns, and a bfloat16 output
    /// is written like that to .npy and .npz, where its name ends in _bf16.
    #[command(override_usage = "pt2 run <FILE> [OPTIONS]")]
    Run(Run),
}

/// Arguments of `pt2 inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// Archive, and how it is read.
    #[command(flatten)]
    pub source: ModelArguments,
    /// Print the graph as text instead.
    #[arg(long)]
    pub graph: bool,
}

/// Arguments of `pt2 run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Archive, and how it is read.
    #[command(flatten)]
    pub source: ModelArguments,
    /// Where to run: cpu, cuda or cuda:N [default: where the model was exported]
    #[arg(long, value_name = "DEVICE", value_parser = device::checked)]
    pub device: Option<String>,
    /// Give the exported program's results to the last bit: nothing is regrouped to be faster.
    #[arg(long)]
    pub exact: bool,
    /// Measure the fastest kernels on a CUDA device and keep them in a file in this folder, for later runs.
    #[arg(long, value_name = "FOLDER", conflicts_with = "exact")]
    pub tuning: Option<PathBuf>,
    /// Read inputs from .npy, .npz or .safetensors files; FILE:NAME,NAME takes these tensors only, in this order.
    #[arg(long, value_name = "FILE[:NAME,…]", num_args = 1.., value_parser = Selection::parse)]
    pub input: Vec<Selection>,
    /// Write the outputs to a .npz or .safetensors file, or the only one to .npy; without it they are listed.
    #[arg(long, value_name = "FILE", value_parser = output)]
    pub output: Option<Output>,
    /// Run N times on the same inputs, print load, first and median times; the outputs are those of the first.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// Write where the time goes, from the load to the last run, to a JSON file that Perfetto (ui.perfetto.dev) and
    /// chrome://tracing open.
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Let the timeline show every node of every run, too; that makes runs of small operators slower.
    #[arg(long, requires = "timeline")]
    pub timeline_nodes: bool,
}

/// The archive and how it is read.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The .pt2 file.
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// Which of the archive's models.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Load a library that registers operators, such as torchvision's; give it again for another.
    #[arg(long, value_name = "FILE")]
    pub op_library: Vec<PathBuf>,
    /// Let an operator run although it reaches outside of tensors: NAME::OP.OVERLOAD, NAME::OP or NAME::*.
    #[arg(long, value_name = "OPERATOR")]
    pub allow_operator: Vec<String>,
    /// Trust the file: code that AOTInductor compiled may be loaded, which executes it.
    #[arg(long)]
    pub allow_native_code: bool,
    /// The SHA-256 that such code must have, as `pt2 inspect` prints it.
    #[arg(long, value_name = "SHA256")]
    pub native_code_sha256: Option<Digest>,
    /// Which form of a model that is there in both: auto takes the compiled one where it is allowed and fits.
    #[arg(long, value_name = "auto|exported|compiled", hide_possible_values = true, default_value = "auto",
        value_parser = PossibleValuesParser::new(["auto", "exported", "compiled"]).map(|text| form(&text)))]
    pub form: Form,
    /// Trust the file: do not compare its bytes with the checksums in it.
    #[arg(long)]
    pub skip_checksums: bool,
    /// Where the file's bytes are kept: map shares the page cache, copy survives changes of the file, auto chooses.
    #[arg(long, value_name = "auto|map|copy", hide_possible_values = true, default_value = "auto",
        value_parser = PossibleValuesParser::new(["auto", "map", "copy"]).map(|text| memory(&text)))]
    pub memory: MemoryMode,
}

impl ModelArguments {
    /// Returns the options for reading the archive.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions { memory: self.memory, verify: !self.skip_checksums }
    }
}

/// File for the outputs.
#[derive(Clone, Debug)]
pub struct Output {
    /// Path of the file.
    pub path: PathBuf,
    /// Format, by the name of the file.
    pub format: Format,
}

fn output(text: &str) -> Result<Output, String> {
    Ok(Output { path: text.into(), format: Format::of(Path::new(text))? })
}

fn form(text: &str) -> Form {
    match text {
        "exported" => Form::Exported,
        "compiled" => Form::Compiled,
        _ => Form::Auto,
    }
}

fn memory(text: &str) -> MemoryMode {
    match text {
        "map" => MemoryMode::Map,
        "copy" => MemoryMode::Copy,
        _ => MemoryMode::Auto,
    }
}
