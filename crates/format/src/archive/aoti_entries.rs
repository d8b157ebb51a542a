//! Archive entries that belong to code compiled by AOTInductor.
//!
//! Their names begin with `data/aotinductor/<model>/`, inside the archive's root folder
//! (`torch/export/pt2_archive/constants.py` 2.11). Archives written before PyTorch 2.8 have no root
//! folder.

use std::collections::HashMap;

const FOLDER: &str = "data/aotinductor/";

/// Splits the name of a compiled-code entry into the model and the file. Returns None for other
/// entries.
fn split(name: &str) -> Option<(&str, &str)> {
    let (root, rest) = name.split_once(FOLDER)?;
    let below_root = root.is_empty() || root.find('/') == Some(root.len() - 1);
    rest.split_once('/').filter(|(model, file)| below_root && !model.is_empty() && !file.is_empty())
}

/// Models that have compiled code, in the order of the archive, with the indices of their entries.
#[derive(Debug, Default)]
pub(super) struct AotiEntries {
    pub(super) names: Vec<String>,
    entries: HashMap<String, Vec<usize>>,
}

impl AotiEntries {
    /// Collects the compiled code from the names of an archive's entries.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> AotiEntries {
        let mut models = AotiEntries::default();
        for (place, name) in names.enumerate() {
            let Some((model, _)) = split(name) else { continue };
            match models.entries.get_mut(model) {
                Some(places) => places.push(place),
                None => {
                    models.names.push(model.into());
                    models.entries.insert(model.into(), vec![place]);
                }
            }
        }
        models
    }

    /// Returns the indices of a model's entries, in order.
    pub(super) fn entries(&self, model: &str) -> &[usize] {
        self.entries.get(model).map(Vec::as_slice).unwrap_or_default()
    }
}
