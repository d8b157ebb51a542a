//! Where AOTInductor's compiled code lies in an archive.
//!
//! `torch/export/pt2_archive/constants.py` 2.11: `data/aotinductor/<model>/`, in the archive's folder. Archives
//! written before 2.8 have no such folder around them.

const FOLDER: &str = "data/aotinductor/";

/// The model and the rest of an entry's name, if the entry belongs to compiled code.
pub fn split(name: &str) -> Option<(&str, &str)> {
    let (root, rest) = name.split_once(FOLDER)?;
    let below_root = root.is_empty() || root.find('/') == Some(root.len() - 1);
    rest.split_once('/').filter(|(model, file)| below_root && !model.is_empty() && !file.is_empty())
}

/// The models that compiled code is there for, in the order of the file.
pub(super) fn models<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut models: Vec<String> = Vec::new();
    for (model, _) in names.filter_map(split) {
        if !models.iter().any(|known| known == model) {
            models.push(model.into());
        }
    }
    models
}
