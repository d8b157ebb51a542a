//! Path names as names in files.

use std::collections::HashSet;

/// Returns a path name with dots for brackets and quotes: `result["logits"][0]` becomes
/// `result.logits.0`. No character of it has a meaning to a file system or a shell.
pub fn short(path: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "_-".contains(letter) { letter } else { '.' };
    let dotted: String = path.chars().map(plain).collect();
    dotted.split('.').filter(|step| !step.is_empty()).collect::<Vec<_>>().join(".")
}

/// Returns the same names, with a number appended to those that are taken.
pub fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = HashSet::new();
    names.map(|name| free(name, &mut taken)).collect()
}

fn free(name: String, taken: &mut HashSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable() {
        for (path, name) in [
            ("result", "result"),
            ("args[0]", "args.0"),
            ("result[\"logits\"]", "result.logits"),
            ("kwargs['a b'][3].x_y", "kwargs.a.b.3.x_y"),
            ("result[\"../../etc/passwd\"]", "result.etc.passwd"),
            ("result[\"größe\"]", "result.größe"),
        ] {
            assert_eq!(short(path), name);
        }
    }

    #[test]
    fn equal_names_are_numbered() {
        let names = ["a", "a", "a_2", "b", "a"].map(str::to_owned);
        assert_eq!(unique(names.into_iter()), ["a", "a_2", "a_2_2", "b", "a_3"]);
    }
}
