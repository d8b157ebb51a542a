//! What the names in a zip make of it: its layout, its root folder, its models.

use super::blame::Blame;
use super::compiled;
use super::guess;
use super::layout::Layout;
use crate::Result;

/// The program of a flat archive.
pub(super) const FLAT_PROGRAM: &str = "serialized_exported_program.json";
const FLAT_MODEL: &str = "model";

/// The shape of a `.pt2` archive.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) layout: Layout,
    /// The folder that holds everything, or nothing.
    pub(super) root: String,
    pub(super) models: Vec<String>,
    /// The models that compiled code is there for.
    pub(super) compiled: Vec<String>,
}

impl Contents {
    /// Recognises an archive by the names of its entries.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<Self> {
        let compiled = compiled::models(names.clone());
        if names.clone().any(|name| name == FLAT_PROGRAM) {
            let models = vec![FLAT_MODEL.into()];
            return Ok(Self { layout: Layout::Flat, root: "".into(), models, compiled });
        }
        let root = names.clone().next().and_then(|name| name.split_once('/')).map_or("", |(root, _)| root);
        let models = models(names.clone(), root);
        if models.is_empty() && !compiled.is_empty() {
            return Ok(Self { layout: Layout::Compiled, root: root.into(), models, compiled });
        }
        if models.is_empty() {
            return Err(Blame::FILE.error(guess::not_a_program(names)));
        }
        require_one_root(names.clone(), root)?;
        Ok(Self { layout: foldered(names, root, &models), root: root.into(), models, compiled })
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
    names.filter(|name| !inside(name)).try_for_each(|stray| Blame::entry(stray).require(false, outside))
}

/// A model whose tensors are listed by a JSON file makes the archive raw.
fn foldered<'a>(names: impl Iterator<Item = &'a str>, root: &str, models: &[String]) -> Layout {
    let kinds = ["weights", "constants"];
    let configs: Vec<_> = kinds
        .iter()
        .flat_map(|kind| models.iter().map(move |model| config_name(root, kind, model)))
        .collect();
    let mut names = names;
    match names.any(|name| name.ends_with("_config.json") && configs.iter().any(|config| config == name)) {
        true => Layout::Raw,
        false => Layout::Pickled,
    }
}

/// The folder of the weights or constants.
pub(super) fn folder(root: &str, kind: &str) -> String {
    format!("{root}/data/{kind}/")
}

/// The JSON file that lists the weights or constants of a model.
pub(super) fn config_name(root: &str, kind: &str, model: &str) -> String {
    format!("{}{model}_{kind}_config.json", folder(root, kind))
}

/// The torch.save file with the weights or constants of a model.
pub(super) fn pickle_name(root: &str, kind: &str, model: &str) -> String {
    format!("{}{model}.pt", folder(root, kind))
}
