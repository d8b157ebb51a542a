//! Size expressions: every parsed expression can be printed and evaluated for any sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::program::expr::Expr;
use pt2_format::program::symbol::Symbols;

fuzz_target!(|text: &str| {
    let mut symbols = Symbols::default();
    if let Ok(expr) = Expr::parse(text, &mut symbols) {
        for size in [None, Some(0), Some(1), Some(7), Some(-3), Some(i64::MAX), Some(i64::MIN)] {
            let _ = expr.eval(&vec![size; symbols.names().len()]);
        }
        let _ = expr.display(&symbols).to_string();
    }
});
