//! Files of a crate and the imports between them.

use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::slice::from_ref;

/// Module of a crate, by its path from the root. The root is empty.
pub type Module = Vec<String>;

/// Sources of one crate.
pub struct House {
    /// Name of the crate.
    pub name: String,
    sources: BTreeMap<Module, Source>,
}

impl House {
    /// Reads a crate from the folder of its root file.
    pub fn read(name: &str, folder: &Path) -> House {
        let mut house = House { name: name.into(), sources: BTreeMap::new() };
        let root = ["lib.rs", "main.rs"].map(|root| folder.join(root)).into_iter().find(|root| root.exists());
        house.add(Vec::new(), &root.unwrap(), folder);
        house
    }

    /// Reads a file and those of the modules that it declares, which are in this folder.
    fn add(&mut self, module: Module, file: &Path, folder: &Path) {
        let source = Source::of(&fs::read_to_string(file).unwrap());
        for child in &source.modules {
            let inner = folder.join(child);
            let file = [folder.join(format!("{child}.rs")), inner.join("mod.rs")];
            if let Some(file) = file.into_iter().find(|file| file.exists()) {
                self.add([module.as_slice(), from_ref(child)].concat(), &file, &inner);
            }
        }
        self.sources.insert(module, source);
    }

    /// Returns the files that each file imports from.
    pub fn imports(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let of = |(module, source): (&'_ Module, &'_ Source)| {
            let paths = source.paths.iter().filter_map(|path| self.absolute(module, path));
            let files: BTreeSet<Module> = paths.filter_map(|path| self.defining(&path, 0)).collect();
            files.into_iter().filter(|file| file != module).collect::<BTreeSet<Module>>()
        };
        let known = |file: Module| self.sources.get_key_value(&file).map(|(module, _)| module);
        self.sources
            .iter()
            .map(|(module, source)| (module, of((module, source)).into_iter().filter_map(known).collect()))
            .collect()
    }

    /// Returns a path from the root of the crate. None for a path into another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let above = rest.iter().take_while(|segment| *segment == "super").count();
                let parent = module.get(..module.len().checked_sub(above + 1)?)?;
                Some([parent, &rest[above..]].concat())
            }
            child => {
                let declared = self.sources[module].modules.iter().any(|declared| declared == child);
                declared.then(|| [module, path].concat())
            }
        }
    }

    /// Returns the file that defines the item at a path, behind all re-exports. None if another
    /// crate defines it.
    fn defining(&self, path: &[String], depth: usize) -> Option<Module> {
        assert!(depth < 16, "{}: {} is an import of itself", self.name, path.join("::"));
        let mut at = Module::new();
        for (place, segment) in path.iter().enumerate() {
            let child = [at.as_slice(), from_ref(segment)].concat();
            if self.sources.contains_key(&child) {
                at = child;
            } else if let Some(behind) = self.sources[&at].names.get(segment) {
                let behind = self.absolute(&at, behind)?;
                return self.defining(&[behind.as_slice(), &path[place + 1..]].concat(), depth + 1);
            } else {
                break;
            }
        }
        Some(at)
    }

    /// Returns the imports of a room from a room that is not above it in the root file.
    pub fn upward_imports(&self) -> Vec<String> {
        let rooms = &self.sources[&Vec::new()].modules;
        let level = |module: &Module| rooms.iter().position(|room| Some(room) == module.first());
        let imports = self.imports();
        let pairs = imports.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
        pairs
            .filter(|(from, to)| !from.is_empty() && level(to) > level(from))
            .map(|(from, to)| format!("{} imports from {}", self.label(from), self.label(to)))
            .collect()
    }

    /// Returns the circles: groups of files in which each file imports from each other one, directly
    /// or through files of the group.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let imports = self.imports();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            imports.keys().map(|file| (*file, reached(&imports, file))).collect();
        let circle = |file: &Module| -> BTreeSet<&Module> {
            reached[file].iter().copied().filter(|other| reached[*other].contains(file)).collect()
        };
        let circles: BTreeSet<BTreeSet<&Module>> = imports.keys().map(|file| circle(file)).collect();
        let named = circles.into_iter().filter(|circle| !circle.is_empty());
        named.map(|circle| circle.into_iter().map(|file| self.label(file)).collect()).collect()
    }

    fn label(&self, module: &Module) -> String {
        [from_ref(&self.name), module.as_slice()].concat().join("::")
    }
}

/// Returns all files that a file imports from, directly or through others.
fn reached<'a>(imports: &BTreeMap<&'a Module, BTreeSet<&'a Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut all = BTreeSet::new();
    let mut next: Vec<&Module> = imports[from].iter().copied().collect();
    while let Some(file) = next.pop() {
        if all.insert(file) {
            next.extend(&imports[file]);
        }
    }
    all
}
