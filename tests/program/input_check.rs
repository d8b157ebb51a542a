//! Input checks: every call compares its inputs with the program, and the error names the input and
//! its fault.

use pt2_format::Error;
use pt2_format::program::schema::ScalarType;
use pt2_format::program::{InputView, Interface, Program, Rules};

fn interface(json: &[u8]) -> Interface {
    Program::parse(json).unwrap().interface
}

fn double() -> Interface {
    interface(include_bytes!("double.json"))
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
        (vec![tensor(&[65, 3]), y], "input `args[0]`: dimension 0 is 65, expected at most 64 (symbol s77)"),
        (vec![tensor(&[1, 3]), tensor(&[2])], "input `args[1]`: dimension 0 is 2, expected 4 to 128 (2*s77)"),
    ] {
        assert_eq!(refused(&program, &given), sentence);
    }
}

/// Returns the program's interface under the rules of compiled code: every recorded condition is
/// checked.
fn recorded(interface: Interface) -> Interface {
    interface.under(Rules::Recorded)
}

#[test]
fn a_size_that_follows_from_another() {
    let double = double();
    assert_eq!(double.check(&[tensor(&[5, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
    let given = [tensor(&[5, 3]), tensor(&[11])];
    assert_eq!(
        refused(&double, &given),
        "input `args[1]`: dimension 0 is 11, expected 10, as dimension 0 of `args[0]` is 5 \
         (guard `L['y'].size()[0] == (2*L['x'].size()[0])`)"
    );
    let same = "input `args[1]`: dimension 0 is 11, expected 10 (2*s77; dimension 0 of `args[0]` is 5)";
    assert_eq!(refused(&recorded(double.clone()), &given), same);
    assert_eq!(refused(&double.under(Rules::Unguarded), &given), same);
    let next = interface(include_bytes!("next.json"));
    assert_eq!(next.check(&[tensor(&[5, 3]), tensor(&[6])]).unwrap(), [Some(5)]);
    refused(&next, &[tensor(&[5, 3]), tensor(&[5])]);
    let error = refused(&recorded(next), &[tensor(&[5, 3]), tensor(&[5])]);
    assert_eq!(
        error,
        "input `args[1]`: dimension 0 is 5, expected 6 (s77 + 1; dimension 0 of `args[0]` is 5)"
    );
}

/// Returns the program with one piece of its text replaced.
fn edited(json: &str, from: &str, to: &str) -> Interface {
    assert!(json.contains(from), "{from}");
    interface(json.replace(from, to).as_bytes())
}

const DOUBLE: &str = include_str!("double.json");
const GUARD: &str = "L['y'].size()[0] == (2*L['x'].size()[0])";
const PLAIN: &str =
    r#"{"as_expr": {"expr_str": "Symbol('s77', positive=True, integer=True)", "hint": {"as_int": 4}}}"#;

#[test]
fn bounds_that_the_tracer_assumed_are_no_conditions() {
    let text = DOUBLE.replace(r#""2*s77": {"min_val": 4"#, r#""2*s77": {"min_val": 2"#);
    for (least, accepted) in [(0, true), (1, true), (2, true), (3, false)] {
        let text = text.replace(r#""s77": {"min_val": 2"#, &format!(r#""s77": {{"min_val": {least}"#));
        let program = interface(text.as_bytes());
        for rules in [Rules::Guarded, Rules::Unguarded] {
            let program = program.clone().under(rules);
            assert_eq!(program.symbols[0].min, Some(if accepted { 0 } else { least }));
            for size in 0..3 {
                let found = program.check(&[tensor(&[size, 3]), tensor(&[2 * size])]);
                assert_eq!(found.is_ok(), accepted, "{least} {size}: {found:?}");
            }
        }
        let program = recorded(program);
        assert_eq!(program.symbols[0].min, Some(least));
        let (x, y) = ([least - 1, 3], [2 * least - 2]);
        let error = refused(&program, &[tensor(&x), tensor(&y)]);
        let sentence = format!("dimension 0 is {}, expected {least} to 64 (symbol s77)", least - 1);
        assert_eq!(error, format!("input `args[0]`: {sentence}"));
    }
}

#[test]
fn a_symbol_is_solved_from_a_multiple_of_it() {
    // No input has the size s77 itself any more, and the guard refers to it.
    let text = DOUBLE.replace(GUARD, "True");
    let solved = edited(&text, PLAIN, r#"{"as_int": 4}"#);
    assert_eq!(solved.check(&[tensor(&[4, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
    // PyTorch solves for the symbol and does not require an integer.
    assert_eq!(solved.check(&[tensor(&[4, 3]), tensor(&[11])]).unwrap(), [None]);
    let solved = recorded(solved);
    assert_eq!(solved.check(&[tensor(&[4, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
    for (size, sentence) in [
        (7, "input `args[1]`: dimension 0 is 7, which 2*s77 cannot be"),
        (200, "input `args[1]`: dimension 0 is 200, so that s77 in 2*s77 is 100, expected 2 to 64"),
    ] {
        assert_eq!(refused(&solved, &[tensor(&[4, 3]), tensor(&[size])]), sentence);
    }
}

/// As recorded for `x: 2*s77, y: s77 + 1`: no size is the symbol itself.
#[test]
fn two_sizes_that_follow_from_a_symbol_that_is_no_size() {
    let sum = "Add(Symbol('s77', positive=True, integer=True), Integer(1))";
    let plain = PLAIN.replace("Symbol('s77', positive=True, integer=True)", sum);
    let text = DOUBLE.replace(GUARD, "True").replace(PLAIN, &plain);
    let text =
        text.replace(r#""range_constraints": {"#, r#""range_constraints": {"s77 + 1": {"min_val": 1},"#);
    let program = interface(text.as_bytes());
    for rules in [Rules::Guarded, Rules::Unguarded, Rules::Recorded] {
        let program = program.clone().under(rules);
        assert_eq!(program.check(&[tensor(&[6, 3]), tensor(&[10])]).unwrap(), [Some(5)]);
        let error = refused(&program, &[tensor(&[6, 3]), tensor(&[12])]);
        assert_eq!(
            error,
            "input `args[1]`: dimension 0 is 12, expected 10 (2*s77; dimension 0 of `args[0]` is 6)"
        );
    }
}

#[test]
fn an_undetermined_size_is_not_checked() {
    let square =
        "Mul(Symbol('s77', positive=True, integer=True), Symbol('s77', positive=True, integer=True))";
    let text = DOUBLE.replace(PLAIN, r#"{"as_int": 4}"#);
    let free = edited(&text, "Mul(Integer(2), Symbol('s77', positive=True, integer=True))", square);
    assert_eq!(free.check(&[tensor(&[4, 3]), tensor(&[8])]).unwrap(), [None]);
    // The guard refers to the size itself, not to the symbol.
    let error = refused(&free, &[tensor(&[4, 3]), tensor(&[10])]);
    assert_eq!(error, format!("input `args[1]`: dimension 0 is 10, expected 8 (guard `{GUARD}`)"));
}

#[test]
fn ranges_of_expressions_hold_too() {
    let narrow = edited(DOUBLE, r#""2*s77": {"min_val": 4"#, r#""2*s77": {"min_val": 12"#);
    let given = [tensor(&[5, 3]), tensor(&[10])];
    assert_eq!(refused(&narrow, &given), "input `args[1]`: dimension 0 is 10, expected 12 to 128 (2*s77)");
    assert_eq!(
        refused(&recorded(narrow), &given),
        "input `args[0]`: 2*s77 is 10, expected 12 to 128 (dimension 0 of `args[0]` is 5)"
    );
}

#[test]
fn open_ranges_and_the_old_infinity() {
    let open = edited(DOUBLE, r#""max_val": 64"#, r#""max_val": 9223372036854775806"#);
    assert_eq!(open.symbols[0].max, None);
    let error = refused(&recorded(open), &[tensor(&[1, 3]), tensor(&[2])]);
    assert_eq!(error, "input `args[0]`: dimension 0 is 1, expected at least 2 (symbol s77)");
}

#[test]
fn constants_have_to_match() {
    let program = interface(include_bytes!("trees.json"));
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
    let program = interface(include_bytes!("numbers.json"));
    assert_eq!(program.check(&[tensor(&[9]), InputView::Int(5)]).unwrap(), [Some(9), Some(5)]);
    // The lower bound 0 is the tracer's, as for sizes.
    assert_eq!(program.check(&[tensor(&[9]), InputView::Int(-1)]).unwrap(), [Some(9), Some(-1)]);
    let error = refused(&recorded(program.clone()), &[tensor(&[9]), InputView::Int(-1)]);
    assert_eq!(error, "input `args[1]`: it is -1, expected at least 0 (symbol s86)");
    let error = refused(&program, &[tensor(&[9]), InputView::Float(1.0)]);
    assert_eq!(error, "input `args[1]`: expected an int, got the float 1.0");
}

#[test]
fn guards_are_checked() {
    let program = interface(include_bytes!("guards.json"));
    assert_eq!(program.unchecked_guards, Vec::<String>::new());
    program.check(&[tensor(&[1, 2, 20, 20])]).unwrap();
    // The tracer excluded the sizes 19 and 21: an odd size has another number of windows.
    for size in [19, 21] {
        let error = refused(&program, &[tensor(&[1, 2, size, 20])]);
        let words = format!("input `args[0]`: dimension 2 is {size}, expected a multiple of 2 (guard `");
        assert!(error.starts_with(&words), "{error}");
    }
    let program = interface(include_bytes!("numbers.json"));
    assert_eq!(program.unchecked_guards, Vec::<String>::new());
}

#[test]
fn guards_name_inputs_in_several_ways() {
    let guard = GUARD;
    let strict = edited(DOUBLE, guard, "L['flat_args'][1].size()[0] < 2*L['flat_args'][0].size()[0]");
    let error = refused(&strict, &[tensor(&[5, 3]), tensor(&[10])]);
    assert!(
        error.contains("args[1]`: dimension 0 is 10, expected less than 10, as dimension 0 of"),
        "{error}"
    );
    let names =
        DOUBLE.replace(r#""forward_arg_names": ["x", "y"]"#, r#""forward_arg_names": ["xs_0", "xs_1"]"#);
    let variadic = edited(&names, guard, "L['xs'][1].size()[0] % 4 == 0 or L['xs_0'].size()[1] == 4");
    assert_eq!(variadic.unchecked_guards, Vec::<String>::new());
    assert!(variadic.check(&[tensor(&[6, 3]), tensor(&[12])]).is_ok());
    refused(&variadic, &[tensor(&[5, 3]), tensor(&[10])]);
}

#[test]
fn unreadable_guards_are_reported() {
    let guard = r#""L['y'].size()[0] == (2*L['x'].size()[0])""#;
    for text in ["L['z'].size()[0] == 3", "L['x'].stride()[0] == 1", "isinstance(L['x'], int)", "("] {
        let program = edited(DOUBLE, guard, &format!("{text:?}"));
        assert_eq!(program.unchecked_guards, [text]);
    }
}

#[test]
fn guards_in_words() {
    let guard = GUARD;
    for (text, x, y, words) in [
        ("L['x'].size()[0] > 3", 3, 6, "args[0]`: dimension 0 is 3, expected at least 4 (guard `"),
        (
            "((-1) + L['y'].size()[0]) != 7",
            4,
            8,
            "args[1]`: dimension 0 is 8, expected other than 8 (guard `",
        ),
        (
            "9 >= L['x'].size()[0] and L['x'].size()[0] < 9",
            9,
            8,
            "dimension 0 is 9, expected at most 8 (guard `",
        ),
        ("(3 - L['x'].size()[0]) >= 0", 4, 8, "dimension 0 is 4, expected at most 3 (guard `"),
        (
            "((1 + L['x'].size()[0]) % 4) == 0",
            4,
            8,
            "dimension 0 is 4, expected a multiple of 4 plus 3 (guard `",
        ),
        (
            "L['x'].size()[0] == L['y'].size()[0]",
            4,
            8,
            "args[0]`: dimension 0 is 4, expected 8, the same as dimension 0 of `args[1]` (guard `",
        ),
        (
            "((1 + L['x'].size()[0]) // 2) == L['y'].size()[0]",
            4,
            8,
            "args[1]`: dimension 0 is 8, expected 2, as dimension 0 of `args[0]` is 4 (guard `",
        ),
        (
            "2*L['x'].size()[0] + L['y'].size()[0] > 20",
            4,
            8,
            "args[0]`: the program requires `2*L['x'].size()[0] + L['y'].size()[0] > 20`, \
             but dimension 0 of `args[0]` is 4, dimension 0 of `args[1]` is 8",
        ),
        ("8 // (L['x'].size()[0] - 4) > 1", 4, 8, "`, but dimension 0 of `args[0]` is 4: division by zero"),
    ] {
        let error = refused(&edited(DOUBLE, guard, text), &[tensor(&[x, 3]), tensor(&[y])]);
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn no_guard_is_checked_without_sample_inputs() {
    let program = edited(DOUBLE, GUARD, "L['x'].size()[0] > 30").under(Rules::Unguarded);
    assert_eq!(program.unchecked_guards, ["L['x'].size()[0] > 30"]);
    assert!(program.check(&[tensor(&[5, 3]), tensor(&[10])]).is_ok());
}
