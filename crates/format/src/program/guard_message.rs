//! Describes guards in words if they constrain a single input source in a simple way: by a bound,
//! an equality or a divisor.

use super::constraint_violation::Violation;
use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::linear_form::LinearForm;

/// Returns the input source that a broken guard constrains, and the requirement in words. Returns
/// None if words would not be simpler.
pub(super) fn describe_guard(guard: &Expr, call: &Violation) -> Option<(usize, String)> {
    match guard {
        Expr::Call(ExprFunction::And, parts) => {
            let broken = parts.iter().find(|part| part.eval_bool(call.values) != Ok(true))?;
            describe_guard(broken, call)
        }
        Expr::Call(function, sides) => {
            mirrored(*function)?;
            let [left, right] = sides.as_slice() else { return None };
            comparison(*function, left, right, call)
                .or_else(|| comparison(mirrored(*function)?, right, left, call))
        }
        _ => None,
    }
}

fn comparison(
    function: ExprFunction,
    left: &Expr,
    right: &Expr,
    call: &Violation,
) -> Option<(usize, String)> {
    let places = &call.interface.checks.places;
    if let (ExprFunction::Eq, Expr::Call(ExprFunction::Mod, division), Expr::Int(rest)) =
        (function, left, right)
    {
        let [dividend, Expr::Int(divisor)] = division.as_slice() else { return None };
        let linear = LinearForm::of(dividend)?;
        return Some((places.number(linear.symbol)?, multiple(&linear, *divisor, *rest)?));
    }
    let place = left.as_symbol().and_then(|id| places.number(id));
    if let Some(place) = place.filter(|_| !matches!(right, Expr::Int(_))) {
        return Some((place, compared(function, place, right, call)?));
    }
    let (linear, Expr::Int(limit)) = (LinearForm::of(left)?, right) else { return None };
    // The bound in the message is exact only if the factor divides the limit.
    let limit = linear.solve(*limit)?;
    let function = if linear.factor < 0 { mirrored(function)? } else { function };
    let words = match function {
        ExprFunction::Lt => format!("at most {}", limit.checked_sub(1)?),
        ExprFunction::Gt => format!("at least {}", limit.checked_add(1)?),
        function => relation(function, limit),
    };
    Some((places.number(linear.symbol)?, words))
}

/// Describes the values for which `factor * source + offset` has this remainder.
fn multiple(linear: &LinearForm, divisor: i64, rest: i64) -> Option<String> {
    let (1 | -1, 2..) = (linear.factor, divisor) else { return None };
    if !(0..divisor).contains(&rest) {
        return None;
    }
    match rest.checked_sub(linear.offset)?.checked_mul(linear.factor)?.rem_euclid(divisor) {
        0 => Some(format!("a multiple of {divisor}")),
        rest => Some(format!("a multiple of {divisor} plus {rest}")),
    }
}

/// Describes a comparison of an input source with an expression of other input sources.
fn compared(function: ExprFunction, place: usize, other: &Expr, call: &Violation) -> Option<String> {
    let places = &call.interface.checks.places;
    let mut own = false;
    other.each_symbol(&mut |id| own |= places.number(id) == Some(place));
    let value = other.eval_int(call.values).ok().filter(|_| !own)?;
    let words = relation(function, value);
    if places.first(other).is_none() {
        return Some(words);
    }
    match other.as_symbol().and_then(|id| places.number(id)) {
        Some(one) if function == ExprFunction::Eq => Some(format!("{words}, the same as {}", call.full(one))),
        _ => Some(format!("{words}, as {}", call.given(other))),
    }
}

fn relation(function: ExprFunction, other: i64) -> String {
    match function {
        ExprFunction::Ne => format!("other than {other}"),
        ExprFunction::Lt => format!("less than {other}"),
        ExprFunction::Le => format!("at most {other}"),
        ExprFunction::Gt => format!("more than {other}"),
        ExprFunction::Ge => format!("at least {other}"),
        _ => other.to_string(),
    }
}

/// Returns the comparison that holds when the sides are exchanged.
fn mirrored(function: ExprFunction) -> Option<ExprFunction> {
    Some(match function {
        ExprFunction::Eq | ExprFunction::Ne => function,
        ExprFunction::Lt => ExprFunction::Gt,
        ExprFunction::Le => ExprFunction::Ge,
        ExprFunction::Gt => ExprFunction::Lt,
        ExprFunction::Ge => ExprFunction::Le,
        _ => return None,
    })
}
