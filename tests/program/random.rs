//! Random bytes: no panic, no stack overflow, bounded time.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use pt2_format::program::expr::Expr;
use pt2_format::program::pytree::TreeSpec;
use pt2_format::program::symbol::Symbols;
use pt2_format::program::{PayloadConfig, Program};

const PROGRAMS: [&str; 6] = [
    include_str!("data.json"),
    include_str!("double.json"),
    include_str!("guards.json"),
    include_str!("next.json"),
    include_str!("numbers.json"),
    include_str!("trees.json"),
];

/// Tokens of the reader.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "NaN",
    "-Infinity",
    "1e400",
    "-1",
    "9223372036854775808",
    "\"as_none\"",
    "{\"as_int\": 1}",
    "Integer(",
    "Symbol('s0')",
    "L['x'].size()[0]",
    "**",
    "//",
    "\\ud800",
    "\u{fe}",
    "{\"as_expr\": {\"expr_str\": \"oo\"}}",
];

fn tries(result: Result<Program, pt2_format::Error>) {
    match result {
        Ok(program) => {
            let _ = program.interface.check(&[]);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes(which in 0..PROGRAMS.len(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = PROGRAMS[which].as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        tries(Program::parse(&bytes));
    }

    #[test]
    fn changed_pieces(
        which in 0..PROGRAMS.len(),
        from in any::<prop::sample::Index>(),
        length in 0usize..40,
        piece in 0..PIECES.len(),
    ) {
        let text = PROGRAMS[which].as_bytes();
        let from = from.index(text.len());
        let to = (from + length).min(text.len());
        tries(Program::parse(&[&text[..from], PIECES[piece].as_bytes(), &text[to..]].concat()));
    }

    #[test]
    fn swapped_values(which in 0..PROGRAMS.len(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let mut document: serde_json::Value = serde_json::from_str(PROGRAMS[which]).unwrap();
        let mut pointers = Vec::new();
        pointers_of(&document, String::new(), &mut pointers);
        let (one, other) = (&pointers[one.index(pointers.len())], &pointers[other.index(pointers.len())]);
        let value = document.pointer(other).unwrap().clone();
        *document.pointer_mut(one).unwrap() = value;
        tries(Program::parse(document.to_string().as_bytes()));
    }

    #[test]
    fn expressions(pieces in vec(0..40usize, 0..30)) {
        let words = [
            "(", ")", ",", "+", "-", "*", "//", "**", "%", "==", "<", " and ", " or ", "not ", "s0", "1", "2.5", "Max", "Integer",
            "Symbol", "'a'", "=", "Float", "Rational", "FloorDiv", "Mod", "9223372036854775807", "-9223372036854775808",
            "Where", "Piecewise", "oo", "true", "L['x']", "&", "|", "~", "<<", "RoundDecimal", "PowByNatural", "Pow",
        ];
        let text: String = pieces.into_iter().map(|piece| words[piece]).collect();
        let mut symbols = Symbols::default();
        if let Ok(expr) = Expr::parse(&text, &mut symbols) {
            let _ = expr.eval(&vec![Some(i64::MAX); symbols.names().len()]);
            let _ = expr.eval(&[]);
            let shown = expr.display(&symbols).to_string();
            prop_assert!(!shown.is_empty());
        }
    }

    #[test]
    fn arithmetic(function in 0..18usize, a in any::<i64>(), b in prop_oneof![any::<i64>(), -3i64..3]) {
        let functions = [
            "FloorDiv", "PythonMod", "IntTrueDiv", "FloatTrueDiv", "Pow", "FloatPow", "LShift", "RShift", "CeilDiv",
            "RoundDecimal", "Add", "Mul", "Min", "Max", "BitwiseFn_bitwise_xor", "Eq", "PowByNatural", "Lt",
        ];
        let text = format!("{}(Symbol('a'), Symbol('b'))", functions[function]);
        let expr = Expr::parse(&text, &mut Symbols::default()).unwrap();
        let value = expr.eval(&[Some(a), Some(b)]);
        match functions[function] {
            "FloorDiv" if b != 0 => {
                let exact = i128::from(a).div_euclid(i128::from(b)) - i128::from(b < 0 && a.checked_rem(b) != Some(0));
                let floor = if b < 0 && i128::from(a).rem_euclid(i128::from(b)) != 0 {
                    i128::from(a).div_euclid(i128::from(b)) - 1
                } else {
                    exact
                };
                prop_assert_eq!(value.ok().map(|n| i128::from(n.int().unwrap())), i64::try_from(floor).ok().map(i128::from));
            }
            "Add" => prop_assert_eq!(value.ok().map(|n| n.int().unwrap()), a.checked_add(b)),
            "Mul" => prop_assert_eq!(value.ok().map(|n| n.int().unwrap()), a.checked_mul(b)),
            _ => {}
        }
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        tries(Program::parse(&bytes));
        let _ = PayloadConfig::parse(&bytes);
        let _ = TreeSpec::parse(&String::from_utf8_lossy(&bytes), "here");
    }
}

fn pointers_of(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, item)| pointers_of(item, format!("{path}/{place}"), found));
        }
        serde_json::Value::Object(items) => items.iter().for_each(|(key, item)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers_of(item, format!("{path}/{key}"), found);
        }),
        _ => {}
    }
    found.push(path);
}

/// Runs on a small stack and in little time.
fn bounded(text: String) {
    let work = move || {
        let start = crate::cpu_time::used();
        assert!(Program::parse(text.as_bytes()).is_err());
        crate::cpu_time::used() - start
    };
    // Frames without optimisation are several times larger.
    let stack = if cfg!(debug_assertions) { 2 << 20 } else { 256 << 10 };
    let took = std::thread::Builder::new().stack_size(stack).spawn(work).unwrap().join().unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn nesting_is_capped() {
    const MILLION: usize = 1_000_000;
    bounded("[".repeat(MILLION));
    bounded(r#"{"a":"#.repeat(MILLION));
    bounded(format!(r#"{{"graph_module": {}"#, "[".repeat(MILLION)));
    let graph = r#"{"graph": {"nodes": [{"inputs": [{"arg": {"as_graph": "#;
    bounded(format!(r#"{{"graph_module": {}"#, graph.repeat(100_000)));
    let argument = r#"{"as_string_to_argument": {"k": "#;
    bounded(format!(r#"{{"graph_module": {{"graph": {{"inputs": [{}"#, argument.repeat(100_000)));
}

/// Parses the program with its text replaced, in bounded time.
fn quick(from: &str, to: &str) {
    let text = PROGRAMS[1].replace(from, to);
    assert_ne!(text, PROGRAMS[1]);
    let start = crate::cpu_time::used();
    tries(Program::parse(text.as_bytes()));
    let took = crate::cpu_time::used() - start;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn large_is_not_slow() {
    let guard = r#""L['y'].size()[0] == (2*L['x'].size()[0])""#;
    quick(guard, &vec![guard; 20_000].join(", "));
    let size = r#"{"as_int": 3}"#;
    let row: Vec<_> = (0..20_000).map(|n| sized(n + 1, n)).collect();
    quick(size, &row.join(", "));
    quick(size, &format!(r#"{{"as_expr": {{"expr_str": "{}"}}}}"#, "1 + ".repeat(100_000) + "1"));
    let leaf = r#"{\"type\": null, \"context\": null, \"children_spec\": []}"#;
    let key = "k".repeat(100_000);
    let wide = vec![leaf; 10_000].join(", ");
    let tree = format!(
        r#"{{\"type\": \"builtins.dict\", \"context\": [\"{key}\"], \"children_spec\": [{{\"type\": \"builtins.list\", \"context\": null, \"children_spec\": [{wide}]}}]}}"#
    );
    quick(leaf, &tree);
    quick("\"verifiers\":", &format!("\"new\": [{}1], \"verifiers\":", "NaN, ".repeat(200_000)));
}

/// Returns a size that can be solved only after the next one.
fn sized(one: usize, other: usize) -> String {
    format!(r#"{{"as_expr": {{"expr_str": "Symbol('q{one}') + Symbol('q{other}')"}}}}"#)
}
