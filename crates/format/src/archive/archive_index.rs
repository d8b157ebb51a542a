//! Archive index, built from entry names: the layout, the root folder and the models.

use std::collections::HashSet;

use super::aoti_entries;
use super::error_context::ErrorContext;
use super::layout::ArchiveLayout;
use super::sniff;
use crate::Result;

/// Entry name of the program in a flat archive.
pub(super) const FLAT_PROGRAM: &str = "serialized_exported_program.json";
const FLAT_MODEL: &str = "model";

/// Layout, root folder and models of a `.pt2` archive.
#[derive(Debug)]
pub(super) struct ArchiveIndex {
    pub(super) layout: ArchiveLayout,
    /// The folder that holds all entries. Empty if there is none.
    pub(super) root: String,
    pub(super) models: Vec<String>,
    known: HashSet<String>,
    /// Models that have compiled code.
    pub(super) compiled: aoti_entries::AotiEntries,
}

impl ArchiveIndex {
    /// Builds the index from the names of an archive's entries.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<Self> {
        let compiled = aoti_entries::AotiEntries::of(names.clone());
        if names.clone().any(|name| name == FLAT_PROGRAM) {
            return Ok(Self::with(ArchiveLayout::Flat, "", vec![FLAT_MODEL.into()], compiled));
        }
        let root = names.clone().next().and_then(|name| name.split_once('/')).map_or("", |(root, _)| root);
        let models = models(names.clone(), root);
        if models.is_empty() && !compiled.names.is_empty() {
            return Ok(Self::with(ArchiveLayout::Compiled, root, models, compiled));
        }
        if models.is_empty() {
            return Err(ErrorContext::FILE.error(sniff::not_a_program(names)));
        }
        require_one_root(names.clone(), root)?;
        Ok(Self::with(foldered(names, root, &models), root, models, compiled))
    }

    fn with(
        layout: ArchiveLayout,
        root: &str,
        models: Vec<String>,
        compiled: aoti_entries::AotiEntries,
    ) -> Self {
        let known = models.iter().cloned().collect();
        Self { layout, root: root.into(), models, known, compiled }
    }

    /// Returns true if the archive holds an exported program of this name.
    pub(super) fn has_model(&self, name: &str) -> bool {
        self.known.contains(name)
    }
}

fn models<'a>(names: impl Iterator<Item = &'a str>, root: &str) -> Vec<String> {
    let model = |name: &'a str| {
        let inner = name.strip_prefix(root)?.strip_prefix("/models/")?;
        inner.strip_suffix(".json").filter(|model| !model.is_empty())
    };
    names.filter_map(model).map(str::to_owned).collect()
}

fn require_one_root<'a>(names: impl Iterator<Item = &'a str>, root: &str) -> Result<()> {
    let inside = |name: &str| name.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    let outside = "it lies outside the folder that holds the archive's other entries";
    names
        .filter(|name| !inside(name))
        .try_for_each(|stray| ErrorContext::entry(stray).require(false, outside))
}

/// Returns `Raw` if a JSON file lists the tensors of any model, and `Pickled` otherwise.
fn foldered<'a>(names: impl Iterator<Item = &'a str>, root: &str, models: &[String]) -> ArchiveLayout {
    let kinds = ["weights", "constants"];
    let configs: HashSet<_> = kinds
        .iter()
        .flat_map(|kind| models.iter().map(move |model| config_name(root, kind, model)))
        .collect();
    let mut names = names;
    if names.any(|name| name.ends_with("_config.json") && configs.contains(name)) {
        ArchiveLayout::Raw
    } else {
        ArchiveLayout::Pickled
    }
}

/// Returns the folder of the weights or of the constants.
pub(super) fn folder(root: &str, kind: &str) -> String {
    format!("{root}/data/{kind}/")
}

/// Returns the name of the JSON file that lists a model's weights or constants.
pub(super) fn config_name(root: &str, kind: &str, model: &str) -> String {
    format!("{}{model}_{kind}_config.json", folder(root, kind))
}

/// Returns the name of the torch.save file that holds a model's weights or constants.
pub(super) fn pickle_name(root: &str, kind: &str, model: &str) -> String {
    format!("{}{model}.pt", folder(root, kind))
}
