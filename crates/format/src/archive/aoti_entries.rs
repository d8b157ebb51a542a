//! The entries of AOTInductor's compiled code in an archive.
//!
//! `torch/export/pt2_archive/constants.py` 2.11: `data/aotinductor/<model>/`, in the archive's folder. Archives
//! written before 2.8 have no such folder around them.

use std::collections::HashMap;

const FOLDER: &str = "data/aotinductor/";

/// The model and the rest of an entry's name, if the entry belongs to compiled code.
fn split(name: &str) -> Option<(&str, &str)> {
    let (root, rest) = name.split_once(FOLDER)?;
    let below_root = root.is_empty() || root.find('/') == Some(root.len() - 1);
    rest.split_once('/').filter(|(model, file)| below_root && !model.is_empty() && !file.is_empty())
}

/// The models that compiled code is there for, in the order of the file, and the places of each one's entries.
#[derive(Debug, Default)]
pub(super) struct AotiEntries {
    pub(super) names: Vec<String>,
    entries: HashMap<String, Vec<usize>>,
}

impl AotiEntries {
    /// Recognises compiled code by the names of an archive's entries.
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

    /// The places of a model's entries, in order.
    pub(super) fn entries(&self, model: &str) -> &[usize] {
        self.entries.get(model).map(Vec::as_slice).unwrap_or_default()
    }
}
