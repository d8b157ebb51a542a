//! Command `pt2 inspect`: shows the contents of an archive. Nothing is run, so programs that this
//! process cannot run are shown too.

mod aoti;
mod interface;
mod operators;
mod readiness;
mod weights;

use crate::failure::Failure;
use crate::model_arguments;
use pt2::aoti::{AvailableForms, available_forms};
use pt2::archive::{Archive, ArchiveLayout};
use pt2::graph::{self, Function};
use pt2::program::Program;
use pt2_cli_arguments::Inspect;
use std::io::Write;

/// Shows every model of an archive, or the one that the user named.
pub fn inspect(arguments: &Inspect, out: &mut impl Write) -> Result<(), Failure> {
    model_arguments::load_op_libraries(&arguments.source)?;
    let path = &arguments.source.path;
    let archive = Archive::open(path, &arguments.source.read_options())?;
    let available_forms = match &arguments.source.model {
        // The archive refuses a name that it does not have.
        Some(name) => {
            vec![
                available_forms(&archive)
                    .into_iter()
                    .find(|offer| offer.model == *name)
                    .unwrap_or(AvailableForms { model: name.clone(), exported: true, compiled: false }),
            ]
        }
        None => available_forms(&archive),
    };
    let names = available_forms.iter().filter(|offer| offer.exported).map(|offer| offer.model.as_str());
    let models = names.map(|name| Inspected::open(&archive, name));
    let models = models.collect::<pt2::Result<Vec<_>>>().map_err(|error| error.in_archive(path))?;
    if arguments.graph {
        return models.iter().try_for_each(|model| Ok(writeln!(out, "{}", model.function.graph)?));
    }
    writeln!(out, "archive    {}", path.display())?;
    show_archive(&archive, out)?;
    models.iter().try_for_each(|model| model.show(out, arguments))?;
    let mut compiled = available_forms.iter().filter(|offer| offer.compiled);
    compiled.try_for_each(|offer| aoti::show(&archive, &offer.model, arguments, out))
}

fn show_archive(archive: &Archive, out: &mut impl Write) -> Result<(), Failure> {
    let layout = match archive.layout() {
        ArchiveLayout::Flat => "flat, tensors in torch.save files, as PyTorch 2.6 and 2.7 write it",
        ArchiveLayout::Pickled => "folder, tensors in torch.save files, as PyTorch 2.8 writes it",
        ArchiveLayout::Raw => "folder, an entry a tensor, as PyTorch 2.9 and later write it",
        ArchiveLayout::Compiled => "code compiled by AOTInductor, no exported program",
    };
    writeln!(out, "layout     {layout}")?;
    writeln!(out, "size       {} in {} entries", bytes(archive.size()), archive.entries().count())?;
    Ok(())
}

/// Parts of a model that can be read without libtorch.
struct Inspected<'a> {
    archive: &'a Archive,
    name: &'a str,
    program: Program,
    function: Function,
}

impl Inspected<'_> {
    fn open<'a>(archive: &'a Archive, name: &'a str) -> pt2::Result<Inspected<'a>> {
        let program = Program::parse(archive.program(name)?.bytes())?;
        let program = program.with_samples(archive.has_sample_inputs(name));
        let function = graph::import(&program.graph_module)?;
        Ok(Inspected { archive, name, program, function })
    }

    fn show(&self, out: &mut impl Write, arguments: &Inspect) -> Result<(), Failure> {
        let path = &arguments.source.path;
        let stored = pt2::weights::read(self.archive, self.name).map_err(|error| error.in_archive(path))?;
        let schema = &self.program.schema_version;
        writeln!(out, "\nmodel      {}", self.name)?;
        writeln!(
            out,
            "exported   by PyTorch {}, schema {}.{}",
            self.program.torch_version, schema.major, schema.minor
        )?;
        interface::show(&self.program.interface, &self.program.guards_code, out)?;
        weights::show(&stored, &self.function, out)?;
        operators::show(&self.function.graph, out)?;
        readiness::show(self, arguments, out)
    }
}

/// Formats a number of bytes.
fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// Formats a count, such as `1 buffer` or `2 buffers`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
