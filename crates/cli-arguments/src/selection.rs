//! Arguments `FILE` and `FILE:NAME,NAME` of the command line.

use super::Format;
use std::path::{Path, PathBuf};

/// File of tensors, and the selected names.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// File.
    pub path: PathBuf,
    /// Format of the file.
    pub format: Format,
    /// Names of the selected tensors, in order. None selects all.
    pub names: Option<Vec<String>>,
}

impl Selection {
    /// Parses the argument. A path may contain colons, so the names start at the first colon that
    /// follows a known extension.
    pub fn parse(text: &str) -> Result<Selection, String> {
        let whole = Format::of(Path::new(text));
        if let Ok(format) = whole {
            return Ok(Selection { path: text.into(), format, names: None });
        }
        for (colon, _) in text.match_indices(':') {
            let (path, names) = (&text[..colon], &text[colon + 1..]);
            match Format::of(Path::new(path)) {
                Ok(Format::Npy) => return Err("a .npy file holds one array, which has no name".into()),
                Ok(format) => return Selection::of(path, format, names),
                Err(_) => continue,
            }
        }
        whole.map(|format| Selection { path: text.into(), format, names: None })
    }

    fn of(path: &str, format: Format, names: &str) -> Result<Selection, String> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            return Err("a name is empty".into());
        }
        Ok(Selection { path: path.into(), format, names: Some(names) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (String, Option<Vec<String>>) {
        let selection = Selection::parse(text).unwrap();
        (selection.path.display().to_string(), selection.names)
    }

    #[test]
    fn files_and_names_are_told_apart() {
        let list = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        assert_eq!(names("a.npz"), ("a.npz".into(), None));
        assert_eq!(names("C:a.NPZ:x,y"), ("C:a.NPZ".into(), list(&["x", "y"])));
        assert_eq!(names("a.safetensors:args[0]"), ("a.safetensors".into(), list(&["args[0]"])));
        assert_eq!(names("a:b.npy"), ("a:b.npy".into(), None));
    }

    #[test]
    fn the_rest_is_refused() {
        for text in ["", "a", "a.txt", "a.npz:", "a.npz:x,,y", "a.npy:x", ".npz"] {
            assert!(Selection::parse(text).is_err(), "{text}");
        }
    }
}
