//! Size expressions: evaluated as in PyTorch, printed readably, and bounded in time.

use std::time::Duration;

use pt2_format::program::expr::Expr;
use pt2_format::program::number::{EvalError, Number};
use pt2_format::program::symbol::Symbols;
use serde_json::Value;

fn parse(text: &str) -> (Expr, Symbols) {
    let mut symbols = Symbols::default();
    let expr = Expr::parse(text, &mut symbols).unwrap_or_else(|error| panic!("{text}: {error}"));
    (expr, symbols)
}

fn refused(text: &str) -> String {
    Expr::parse(text, &mut Symbols::default()).expect_err(text).to_string()
}

fn value(text: &str) -> Result<Number, EvalError> {
    parse(text).0.eval(&[])
}

/// The values are PyTorch's: see `programs/make_expressions.py`.
#[test]
fn values_are_those_of_pytorch() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("expressions.json")).unwrap();
    for row in &rows {
        let (expr, symbols) = parse(row["text"].as_str().unwrap());
        let bound = |name: &String| row[name].as_i64();
        let bindings: Vec<_> = symbols.names().iter().map(bound).collect();
        let expected = match (row["int"].as_i64(), row["float"].as_f64(), row["bool"].as_bool()) {
            (Some(int), _, _) => Ok(Number::Int(int)),
            (_, Some(float), _) => Ok(Number::Float(float)),
            (_, _, Some(bool)) => Ok(Number::Bool(bool)),
            // Python's ints are unbounded.
            _ => Err(EvalError::Overflow),
        };
        assert_eq!(expr.eval(&bindings), expected, "{row}");
    }
    assert!(rows.len() > 800);
}

#[test]
fn shown_text_reads_back_to_the_same_value() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("expressions.json")).unwrap();
    for row in &rows {
        let (expr, symbols) = parse(row["text"].as_str().unwrap());
        let shown = expr.display(&symbols).to_string();
        let (again, names) = parse(&shown);
        let bindings =
            |symbols: &Symbols| -> Vec<_> { symbols.names().iter().map(|name| row[name].as_i64()).collect() };
        let (one, other) = (expr.eval(&bindings(&symbols)), again.eval(&bindings(&names)));
        assert_eq!(one.map(Number::float), other.map(Number::float), "{row} {shown}");
    }
}

#[test]
fn shown_as_a_person_writes_it() {
    for (text, shown) in [
        ("Mul(Integer(2), Symbol('s77', positive=True, integer=True))", "2*s77"),
        ("Add(Symbol('s77', positive=True, integer=True), Integer(-1))", "s77 - 1"),
        ("Mul(Integer(2), Add(Symbol('a'), Integer(1)))", "2*(a + 1)"),
        ("FloorDiv(Add(Symbol('a'), Integer(2)), Integer(3))", "(a + 2)//3"),
        ("Max(Integer(1), FloorDiv(Symbol('a'), Integer(2)))", "Max(1, a//2)"),
        ("a - (b - c)", "a - (b - c)"),
        ("Pow(Symbol('a'), Integer(-2))", "a**(-2)"),
        ("Rational(4, 6)", "(2/3)"),
        ("L < 3", "L < 3"),
    ] {
        let (expr, symbols) = parse(text);
        assert_eq!(expr.display(&symbols).to_string(), shown);
    }
}

#[test]
fn errors_of_arithmetic_are_typed() {
    for (text, error) in [
        ("FloorDiv(Integer(1), Integer(0))", EvalError::ZeroDivision),
        ("1 % 0", EvalError::ZeroDivision),
        ("IntTrueDiv(Integer(1), Integer(0))", EvalError::ZeroDivision),
        ("FloatTrueDiv(Float('1.0'), Float('0.0'))", EvalError::ZeroDivision),
        ("0**(0 - 1)", EvalError::ZeroDivision),
        ("2**(2**31)", EvalError::Overflow),
        ("2**63", EvalError::Overflow),
        ("9223372036854775807 + 1", EvalError::Overflow),
        ("9223372036854775807 * 3", EvalError::Overflow),
        ("FloorDiv(Integer(-9223372036854775808), Integer(-1))", EvalError::Overflow),
        ("Abs(Integer(-9223372036854775808))", EvalError::Overflow),
        ("LShift(Integer(1), Integer(64))", EvalError::Overflow),
        ("LShift(Integer(1), Integer(-1))", EvalError::Domain),
        ("PowByNatural(Integer(2), Integer(-1))", EvalError::Domain),
        ("TruncToInt(Float('1e300'))", EvalError::Overflow),
        ("TruncToInt(Float('nan'))", EvalError::Overflow),
        ("CeilToInt(Float('inf'))", EvalError::Overflow),
        ("OpaqueUnaryFn_sqrt(Float('-1.0'))", EvalError::Domain),
        ("OpaqueUnaryFn_exp(Float('1000.0'))", EvalError::Overflow),
        ("FloorDiv(Float('1.0'), Integer(2))", EvalError::NotInteger),
        ("ExprCondPair(Integer(1), true)", EvalError::Kind),
        ("Piecewise(ExprCondPair(Integer(1), false))", EvalError::Domain),
    ] {
        assert_eq!(value(text), Err(error), "{text}");
    }
    let (expr, symbols) = parse("a + b");
    assert_eq!(expr.eval(&[Some(1)]), Err(EvalError::Unbound(symbols.find("b").unwrap())));
    assert_eq!(parse("Rational(1, 2)").0.eval_int(&[]), Err(EvalError::NotInteger));
}

#[test]
fn edges_of_arithmetic() {
    for (text, expected) in [
        ("FloorDiv(Integer(-9223372036854775808), Integer(1))", Number::Int(i64::MIN)),
        ("Pow(Integer(-2), Integer(63))", Number::Int(i64::MIN)),
        ("1**9223372036854775807", Number::Int(1)),
        ("(-1)**9223372036854775807", Number::Int(-1)),
        ("0**0", Number::Int(1)),
        ("Pow(Integer(2), Integer(-2))", Number::Rational(1, 4)),
        ("Mul(Rational(1, 2), Integer(6))", Number::Int(3)),
        ("Add(Rational(1, 2), Rational(1, 3))", Number::Rational(5, 6)),
        ("RoundToInt(Float('2.5'))", Number::Int(2)),
        ("RoundToInt(Float('-1.5'))", Number::Int(-2)),
        ("RoundDecimal(Float('2.675'), Integer(2))", Number::Float(2.67)),
        ("Min(oo, Integer(4))", Number::Int(4)),
        ("Eq(Integer(9007199254740993), Float('9007199254740992.0'))", Number::Bool(false)),
        ("Lt(Integer(9223372036854775807), Float('9223372036854775808.0'))", Number::Bool(true)),
        ("Piecewise((1, 2 > 3), (0, True))", Number::Int(0)),
        ("true & (3 > 2)", Number::Bool(true)),
        ("6 & 3", Number::Int(2)),
        ("CeilDiv(Integer(7), Integer(2))", Number::Int(4)),
        ("Add()", Number::Int(0)),
        ("IsNonOverlappingAndDenseIndicator(Integer(2), Integer(3), Integer(3), Integer(1))", Number::Int(1)),
        ("IsNonOverlappingAndDenseIndicator(Integer(2), Integer(3), Integer(4), Integer(1))", Number::Int(0)),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn text_that_is_no_expression_is_refused() {
    for (text, reason) in [
        ("", "the end is not expected"),
        ("Wobble(Integer(1))", "unknown function `Wobble`"),
        ("FloorDiv(Integer(1))", "`FloorDiv` does not take 1 arguments"),
        ("1 +", "the end is not expected"),
        ("(1", "`)` is expected, not the end"),
        ("a b", "the end is expected, not `b`"),
        ("Symbol('a", "a string has no end"),
        ("Symbol(3)", "a string is expected, not `3`"),
        ("Rational(99999999999999999999, 0)", "ints are expected"),
        ("Float('1.x')", "`1.x` is not a float"),
        ("Rational(1, 0)", "division by zero"),
        ("L['x'].size()[0]", "unknown place `L['x'].size()[0]`"),
        ("1 $ 2", "this character is not expected"),
        ("1.e", "not a number"),
    ] {
        let error = refused(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

/// Python's ints are unbounded: comparisons with large ints are decided; other uses of their values
/// are errors of the call.
#[test]
fn ints_beyond_64_bits_compare() {
    for (text, expected) in [
        ("9223372036854775807 < 9223372036854775808", Ok(Number::Bool(true))),
        ("Lt(Integer(-9223372036854775808), Integer(-99999999999999999999))", Ok(Number::Bool(false))),
        ("0 <= 5 <= 99999999999999999999999999999999999999999999", Ok(Number::Bool(true))),
        ("Max(Integer(99999999999999999999), Integer(1)) > 3", Ok(Number::Bool(true))),
        ("FloorDiv(Integer(99999999999999999999), Integer(3))", Err(EvalError::NotInteger)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let digits = "9".repeat(1000);
    assert_eq!(value(&format!("5 < {digits}")), Ok(Number::Bool(true)));
}

/// `a < b < c` evaluates `b` once, and nothing after a false comparison, even if `b` is a
/// comparison itself.
#[test]
fn comparisons_in_a_row() {
    for (text, holds) in [
        ("1 < 2 < 3", true),
        ("1 < 2 > 3", false),
        ("1 < (1 < 2) < 3", false),
        ("0 < (1 < 2) < 3", true),
        ("0 < 1 + 1 < 3 > 2*1 == 2", true),
        ("0 < 1 + 1 < 3 > 2*1 == 2 != 1 + 1", false),
        ("2 < 1 + 0 < 1//0", false),
    ] {
        let (expr, symbols) = parse(text);
        assert_eq!(expr.eval_bool(&[]), Ok(holds), "{text}");
        assert_eq!(parse(&expr.display(&symbols).to_string()).0.eval_bool(&[]), Ok(holds), "{text}");
    }
    assert_eq!(value("1 < 1//0 < 3"), Err(EvalError::ZeroDivision));
    let (expr, symbols) = parse("(a < b < c) + (a <= 2*b <= c < 7)");
    assert_eq!(expr.display(&symbols).to_string(), "(a < b and b < c) + (a <= 2*b <= c < 7)");
    let mut met = Vec::new();
    expr.each_symbol(&mut |id| met.push(symbols.name(id)));
    assert_eq!(met.join(""), "abbcabc");
}

#[test]
fn depth_and_length_are_capped() {
    let deep = [
        "(".repeat(100_000),
        "-".repeat(100_000) + "1",
        "not ".repeat(100_000) + "1",
        "Add(".repeat(100_000),
        "a//".repeat(100_000) + "a",
        "a-".repeat(100_000) + "a",
        "2**".repeat(100_000) + "2",
    ];
    for text in &deep {
        let start = crate::cpu_time::used();
        assert!(refused(text).contains("nests too deep"), "{}", &text[..20]);
        assert!(crate::cpu_time::used() - start < Duration::from_millis(500));
    }
    assert!(refused(&" ".repeat(1 << 21)).contains("too long"));
    // Long expressions are not deep: sums and comparisons are flat.
    for sign in ["+", "*", "<", " and "] {
        parse(&format!("a{}", format!("{sign}a").repeat(100_000)));
    }
}

#[test]
fn the_deepest_expression_needs_little_stack() {
    let work = || {
        let (expr, symbols) = parse(&format!("{}a{}", "Max(1, ".repeat(62), ")".repeat(62)));
        assert_eq!(expr.eval(&[Some(5)]), Ok(Number::Int(5)));
        assert!(expr.display(&symbols).to_string().ends_with(')'));
        drop(expr.clone());
    };
    // Frames without optimisation are several times larger.
    let stack = if cfg!(debug_assertions) { 1 << 20 } else { 256 << 10 };
    std::thread::Builder::new().stack_size(stack).spawn(work).unwrap().join().unwrap();
}

#[test]
fn symbols_are_numbered_once() {
    let mut symbols = Symbols::default();
    let one = Expr::parse("Symbol('s0', integer=True)", &mut symbols).unwrap();
    let two = Expr::parse("s1 + s0", &mut symbols).unwrap();
    assert_eq!(symbols.names(), ["s0", "s1"]);
    assert_eq!(one.as_symbol(), symbols.find("s0"));
    assert_eq!(two.eval(&[Some(1), Some(10)]), Ok(Number::Int(11)));
}
