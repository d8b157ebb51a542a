//! Size expressions, the keys of ranges, and guards: one grammar.

use super::ledger::bounded;
use pt2_format::program::expr::Expr;
use pt2_format::program::symbol::Symbols;

/// Memory for each byte of an expression: `a+` is one node of 32 bytes, in lists that grow by half or double.
const MEMORY: usize = 128;
/// Memory for the error and the parser's own tables.
const LEAST: usize = 4096;

fn read(what: &str, text: &str) {
    bounded(what, text.len(), MEMORY, LEAST, || {
        let mut symbols = Symbols::default();
        let expr = Expr::parse(text, &mut symbols)?;
        let _ = expr.eval(&vec![Some(1); symbols.names().len()]);
        let mut met = 0usize;
        expr.each_symbol(&mut |_| met += 1);
        drop(expr.display(&symbols).to_string());
        Ok::<_, pt2_format::program::expr_parser::ExprError>(())
    });
}

/// Chained comparisons whose middle operand is another chain.
fn nested_comparisons(levels: usize) -> String {
    (0..levels).fold("a".into(), |inner, _| format!("(0<{inner}<9)"))
}

#[test]
fn comparisons_nest_without_doubling() {
    for levels in [22, 30, 60] {
        read("nested comparisons", &nested_comparisons(levels));
    }
    let wide = nested_comparisons(30);
    read("many nested comparisons", &vec![wide; 1000].join(" and "));
}

#[test]
fn long_texts() {
    for (what, start, piece, end) in [
        ("a sum", "a", "+a", ""),
        ("a product of sums", "a", "*(a+1)", ""),
        ("a row of comparisons", "a", "<a", ""),
        ("a row of compound comparisons", "a", "<a+1", ""),
        ("arguments", "Max(a", ",a", ")"),
        ("assumptions", "Symbol('a'", ",positive=True", ")"),
        ("cases", "Piecewise((a,true)", ",(a,a<1)", ")"),
        ("names", "a", "+a_name_that_is_long", ""),
        ("different names", "a", "+b", ""),
        ("an open string", "a", "+a", "+'a"),
        ("an unknown place", "L['x'", "[0]", ""),
    ] {
        let text = format!("{start}{}{end}", piece.repeat((1 << 18) / piece.len()));
        read(what, &text);
    }
    read("digits", &"9".repeat(1 << 18));
    let names: Vec<String> = (0..30_000).map(|number| format!("s{number}")).collect();
    read("symbols", &names.join("+"));
}
