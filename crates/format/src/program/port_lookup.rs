//! Looks up inputs and outputs by name, in several notations.

use super::interface::Port;
use crate::{Error, Result};

/// Returns the index of an input: `args[0]`, `kwargs["mask"]`, or in Triton's notation `INPUT__0`,
/// `ARGS[0]`, `KWARGS[mask]`. `argument` is the parameter that errors name.
pub fn find_input(ports: &[Port], name: &str, argument: &'static str) -> Result<usize> {
    find(ports, name, "INPUT__").ok_or_else(|| unknown(ports, name, "inputs", argument))
}

/// Returns the index of an output: `result["logits"]`, or in Triton's notation `OUTPUT__0`,
/// `RESULT[0][logits]`. A result that is not a sequence counts as a sequence of one.
pub fn find_output(ports: &[Port], name: &str, argument: &'static str) -> Result<usize> {
    find(ports, name, "OUTPUT__").ok_or_else(|| unknown(ports, name, "outputs", argument))
}

fn find(ports: &[Port], name: &str, numbered: &str) -> Option<usize> {
    if let Some(place) = ports.iter().position(|port| port.name == name) {
        return Some(place);
    }
    if let Some(digits) = name.strip_prefix(numbered) {
        let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        return digits.parse().ok().filter(|place| *place < ports.len());
    }
    let (root, steps) = steps(name)?;
    let root = match root {
        "ARGS" | "KWARGS" | "RESULT" => root.to_ascii_lowercase(),
        _ => root.into(),
    };
    let same = |wanted: &[String]| only(ports, |port| steps_of(port) == Some((&root, wanted.to_vec())));
    let sequence_of_one = || same(steps.strip_prefix(&["0".to_string()]).filter(|_| root == "result")?);
    same(&steps).or_else(sequence_of_one)
}

fn steps_of(port: &Port) -> Option<(&str, Vec<String>)> {
    steps(&port.name)
}

/// Returns the only port that fits. A string key and a numeric key may have the same notation,
/// which is then ambiguous.
fn only(ports: &[Port], mut fits: impl FnMut(&Port) -> bool) -> Option<usize> {
    let mut places = (0..).zip(ports).filter(|(_, port)| fits(port)).map(|(place, _)| place);
    places.next().filter(|_| places.next().is_none())
}

/// Splits a path: `kwargs["mask"].left[0]` is `kwargs` and the steps `mask`, `left`, `0`.
fn steps(path: &str) -> Option<(&str, Vec<String>)> {
    let end = path.find(['[', '.']).unwrap_or(path.len());
    let (root, mut rest) = path.split_at(end);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        steps.push(step);
        rest = after;
    }
    Some((root, steps))
}

fn step(rest: &str) -> Option<(String, &str)> {
    if let Some(attribute) = rest.strip_prefix('.') {
        let end = attribute.find(['[', '.']).unwrap_or(attribute.len());
        let (name, after) = attribute.split_at(end);
        return (!name.is_empty()).then(|| (name.to_owned(), after));
    }
    let inside = rest.strip_prefix('[')?;
    if inside.starts_with('"') {
        let mut texts = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        let key = texts.next()?.ok()?;
        return Some((key, inside.get(texts.byte_offset()..)?.strip_prefix(']')?));
    }
    inside.split_once(']').map(|(key, after)| (key.to_owned(), after))
}

fn unknown(ports: &[Port], name: &str, side: &str, argument: &'static str) -> Error {
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    let reason = format!("`{}` is none of the {side}: {}", name.escape_debug(), names.join(", "));
    Error::Argument { argument, reason }
}

#[cfg(test)]
mod tests {
    use super::{find_input, find_output};
    use crate::program::schema::ConstantValue;
    use crate::program::{Port, PortKind};

    fn ports(names: &[&str]) -> Vec<Port> {
        let port = |name: &&str| Port {
            name: name.to_string(),
            value: String::new(),
            kind: PortKind::Constant(ConstantValue::None),
        };
        names.iter().map(port).collect()
    }

    #[test]
    fn spellings_of_inputs() {
        let ports = ports(&["args[0]", "args[1].left", "kwargs[\"mask\"]", "kwargs[\"a]\\\"b\"][1]"]);
        for (name, place) in [
            ("args[0]", 0),
            ("ARGS[0]", 0),
            ("args.0", 0),
            ("INPUT__0", 0),
            ("INPUT__3", 3),
            ("args[1].left", 1),
            ("ARGS[1][left]", 1),
            ("args[1][\"left\"]", 1),
            ("kwargs[\"mask\"]", 2),
            ("KWARGS[mask]", 2),
            ("kwargs.mask", 2),
            ("KWARGS[\"a]\\\"b\"][1]", 3),
        ] {
            assert_eq!(find_input(&ports, name, "name").unwrap(), place, "{name}");
        }
        for name in [
            "",
            "args",
            "Args[0]",
            "args[0",
            "args[2]",
            "args[0][0]",
            "INPUT__4",
            "INPUT__",
            "INPUT__+1",
            "OUTPUT__0",
            "INPUT__99999999999999999999",
            "args[\"0]",
            "kwargs[mask",
            "kwargs..mask",
            "RESULT[0]",
        ] {
            let error = find_input(&ports, name, "name").unwrap_err().to_string();
            assert!(error.contains("none of the inputs: args[0], args[1].left"), "{name}: {error}");
        }
    }

    #[test]
    fn spellings_of_outputs() {
        let dict = ports(&["result[\"logits\"]", "result[\"loss\"]"]);
        for name in ["result[\"loss\"]", "RESULT[loss]", "RESULT[0][loss]", "OUTPUT__1", "result.loss"] {
            assert_eq!(find_output(&dict, name, "name").unwrap(), 1, "{name}");
        }
        assert_eq!(find_output(&ports(&["result"]), "RESULT[0]", "name").unwrap(), 0);
        let nested = ports(&["result[0][\"a\"]", "result[1]"]);
        assert_eq!(find_output(&nested, "RESULT[0][a]", "name").unwrap(), 0);
        assert!(find_output(&nested, "RESULT[1][a]", "name").is_err());
    }

    #[test]
    fn names_with_two_meanings_mean_neither() {
        let ports = ports(&["args[0][1]", "args[0][\"1\"]"]);
        assert!(find_input(&ports, "ARGS[0][1]", "name").is_err());
        assert_eq!(find_input(&ports, "args[0][\"1\"]", "name").unwrap(), 1);
    }
}
