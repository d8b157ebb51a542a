//! What a caller gives is checked against the program on every call, and the error says what is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

use pt2::Error;
use pt2::program::schema::ScalarType;
use pt2::program::{InputView, Interface, Program};

fn interface(json: &[u8]) -> Interface {
    Program::parse(json).unwrap().interface
}

fn double() -> Interface {
    interface(include_bytes!("programs/double.json"))
}

fn tensor(sizes: &[i64]) -> InputView<'_> {
    InputView::Tensor { dtype: ScalarType::Float, sizes }
}

fn refused(interface: &Interface, given: &[InputView]) -> String {
    let error = interface.check(given).unwrap_err();
    assert!(matches!(error, Error::Input { .. } | Error::InputCount { .. }));
    error.to_string()
}

#[test]
fn numbers_kinds_types_and_sizes() {
    let program = double();
    let y = tensor(&[8]);
    for (given, sentence) in [
        (vec![], "the program takes 2 inputs, got 0"),
        (vec![tensor(&[4, 3])], "the program takes 2 inputs, got 1"),
        (vec![tensor(&[4]), y], "input `args[0]`: expected 2 dimensions, got 1"),
        (vec![tensor(&[4, 4]), y], "input `args[0]`: dimension 1 is 4, expected 3"),
        (vec![InputView::Int(4), y], "input `args[0]`: expected a float32 tensor, got the int 4"),
        (vec![InputView::None, y], "input `args[0]`: expected a float32 tensor, got None"),
        (
            vec![InputView::Tensor { dtype: ScalarType::Double, sizes: &[4, 3] }, y],
            "input `args[0]`: expected float32, got float64",
        ),
        (vec![tensor(&[65, 3]), y], "input `args[0]`: dimension 0 is 65, outside 2..64 (symbol s77)"),
        (vec![tensor(&[1, 3]), y], "input `args[0]`: dimension 0 is 1, outside 2..64 (symbol s77)"),
    ] {
        assert_eq!(refused(&program, &given), sentence);
    }
}

#[test]
fn a_size_that_follows_from_another() {
    assert_eq!(double().check(&[tensor(&[5, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
    let error = refused(&double(), &[tensor(&[5, 3]), tensor(&[11])]);
    assert_eq!(error, "input `args[1]`: dimension 0 is 11, expected 10 (2*s77)");
    let next = interface(include_bytes!("programs/next.json"));
    assert_eq!(next.check(&[tensor(&[5, 3]), tensor(&[6])]).unwrap(), [Some(5)]);
    let error = refused(&next, &[tensor(&[5, 3]), tensor(&[5])]);
    assert_eq!(error, "input `args[1]`: dimension 0 is 5, expected 6 (s77 + 1)");
}

/// The program with one piece of its text replaced.
fn edited(json: &str, from: &str, to: &str) -> Interface {
    assert!(json.contains(from), "{from}");
    interface(json.replace(from, to).as_bytes())
}

const DOUBLE: &str = include_str!("programs/double.json");
const PLAIN: &str =
    r#"{"as_expr": {"expr_str": "Symbol('s77', positive=True, integer=True)", "hint": {"as_int": 4}}}"#;

#[test]
fn a_symbol_is_solved_from_a_multiple_of_it() {
    // No input has the size s77 itself any more, and the guard speaks of it.
    let text = DOUBLE.replace("L['y'].size()[0] == (2*L['x'].size()[0])", "True");
    let solved = edited(&text, PLAIN, r#"{"as_int": 4}"#);
    assert_eq!(solved.check(&[tensor(&[4, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
    for (size, sentence) in [
        (7, "input `args[1]`: dimension 0 is 7, which 2*s77 cannot be"),
        (200, "input `args[1]`: dimension 0 is 200, so that symbol s77 in 2*s77 is 100, outside 2..64"),
    ] {
        assert_eq!(refused(&solved, &[tensor(&[4, 3]), tensor(&[size])]), sentence);
    }
}

#[test]
fn a_size_that_nothing_determines_is_left_alone() {
    let square =
        "Mul(Symbol('s77', positive=True, integer=True), Symbol('s77', positive=True, integer=True))";
    let text = DOUBLE.replace(PLAIN, r#"{"as_int": 4}"#);
    let free = edited(&text, "Mul(Integer(2), Symbol('s77', positive=True, integer=True))", square);
    assert_eq!(free.check(&[tensor(&[4, 3]), tensor(&[10])]).unwrap(), [None]);
    assert_eq!(free.unchecked_guards, ["L['y'].size()[0] == (2*L['x'].size()[0])"]);
}

#[test]
fn ranges_of_expressions_hold_too() {
    let narrow = edited(DOUBLE, r#""2*s77": {"min_val": 4"#, r#""2*s77": {"min_val": 12"#);
    let error = refused(&narrow, &[tensor(&[5, 3]), tensor(&[10])]);
    assert_eq!(error, "input `args[0]`: 2*s77 is 10, outside 12..128");
}

#[test]
fn open_ranges_and_the_old_infinity() {
    let open = edited(DOUBLE, r#""max_val": 64"#, r#""max_val": 9223372036854775806"#);
    assert_eq!(open.symbols[0].max, None);
    let error = refused(&open, &[tensor(&[1, 3]), tensor(&[2])]);
    assert_eq!(error, "input `args[0]`: dimension 0 is 1, outside 2.. (symbol s77)");
}

#[test]
fn constants_have_to_match() {
    let program = interface(include_bytes!("programs/trees.json"));
    let three = tensor(&[3]);
    let mut given = vec![three; 7];
    given.extend([
        InputView::Int(3),
        InputView::Bool(true),
        InputView::String("mode"),
        InputView::Float(1.5),
        InputView::None,
        InputView::None,
        three,
    ]);
    assert_eq!(program.check(&given).unwrap(), []);
    for (place, wrong, sentence) in [
        (7, InputView::Int(4), "input `args[4]`: expected the constant 3, got the int 4"),
        (7, InputView::Bool(true), "input `args[4]`: expected the constant 3, got the bool True"),
        (8, InputView::Bool(false), "input `args[5]`: expected the constant True, got the bool False"),
        (9, InputView::String("x"), "input `args[6]`: expected the constant \"mode\", got the string \"x\""),
        (10, InputView::Float(2.0), "input `args[7]`: expected the constant 1.5, got the float 2.0"),
        (11, three, "input `args[8]`: expected None, got a float32 tensor"),
        (13, InputView::Exported, "input `kwargs[\"kw\"]`: expected a float32 tensor, got nothing"),
    ] {
        let mut given = given.clone();
        given[place] = wrong;
        assert_eq!(refused(&program, &given), sentence);
        if place != 13 {
            given[place] = InputView::Exported;
            assert!(program.check(&given).is_ok());
        }
    }
}

#[test]
fn ints_are_symbols_too() {
    let program = interface(include_bytes!("programs/numbers.json"));
    assert_eq!(program.check(&[tensor(&[9]), InputView::Int(5)]).unwrap(), [Some(9), Some(5)]);
    let error = refused(&program, &[tensor(&[9]), InputView::Int(-1)]);
    assert_eq!(error, "input `args[1]`: it is -1, outside 0.. (symbol s86)");
    let error = refused(&program, &[tensor(&[9]), InputView::Float(1.0)]);
    assert_eq!(error, "input `args[1]`: expected an int, got the float 1.0");
}

#[test]
fn guards_are_checked() {
    let program = interface(include_bytes!("programs/guards.json"));
    assert_eq!(program.unchecked_guards, Vec::<String>::new());
    program.check(&[tensor(&[1, 2, 20, 20])]).unwrap();
    // The sizes 19 and 21 were excluded while tracing: an odd size is another number of windows.
    for size in [19, 21] {
        let error = refused(&program, &[tensor(&[1, 2, size, 20])]);
        assert!(error.starts_with("input `args[0]`: the program needs `"), "{error}");
        assert!(error.ends_with("`, which does not hold"), "{error}");
    }
    let program = interface(include_bytes!("programs/numbers.json"));
    assert_eq!(program.unchecked_guards, Vec::<String>::new());
}

#[test]
fn guards_name_inputs_in_several_ways() {
    let guard = "L['y'].size()[0] == (2*L['x'].size()[0])";
    let strict = edited(DOUBLE, guard, "L['flat_args'][1].size()[0] < 2*L['flat_args'][0].size()[0]");
    let error = refused(&strict, &[tensor(&[5, 3]), tensor(&[10])]);
    assert!(error.starts_with("input `args[0]`: the program needs `L['flat_args'][1]"), "{error}");
    let names =
        DOUBLE.replace(r#""forward_arg_names": ["x", "y"]"#, r#""forward_arg_names": ["xs_0", "xs_1"]"#);
    let variadic = edited(&names, guard, "L['xs'][1].size()[0] % 4 == 0 or L['xs_0'].size()[1] == 4");
    assert_eq!(variadic.unchecked_guards, Vec::<String>::new());
    assert!(variadic.check(&[tensor(&[6, 3]), tensor(&[12])]).is_ok());
    refused(&variadic, &[tensor(&[5, 3]), tensor(&[10])]);
}

#[test]
fn a_guard_that_cannot_be_read_is_told() {
    let guard = r#""L['y'].size()[0] == (2*L['x'].size()[0])""#;
    for text in ["L['z'].size()[0] == 3", "L['x'].stride()[0] == 1", "isinstance(L['x'], int)", "("] {
        let program = edited(DOUBLE, guard, &format!("{text:?}"));
        assert_eq!(program.unchecked_guards, [text]);
    }
}
