//! Guards in words, where they say something simple of one place: a bound, an equality, a divisibility.

use super::expr::Expr;
use super::function::Function;
use super::linear::Linear;
use super::refusal::Refusal;

/// The place that a broken guard speaks of, and what it requires of it. None where words would not be simpler.
pub(super) fn requirement(guard: &Expr, call: &Refusal) -> Option<(usize, String)> {
    match guard {
        Expr::Call(Function::And, parts) => {
            let broken = parts.iter().find(|part| part.eval_bool(call.values) != Ok(true))?;
            requirement(broken, call)
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

fn comparison(function: Function, left: &Expr, right: &Expr, call: &Refusal) -> Option<(usize, String)> {
    let places = &call.interface.checks.places;
    if let (Function::Eq, Expr::Call(Function::Mod, division), Expr::Int(0)) = (function, left, right) {
        let [dividend, Expr::Int(divisor)] = division.as_slice() else { return None };
        let linear = Linear::of(dividend)?;
        return Some((places.number(linear.symbol)?, multiple(&linear, *divisor)?));
    }
    let place = left.as_symbol().and_then(|id| places.number(id));
    if let Some(place) = place.filter(|_| !matches!(right, Expr::Int(_))) {
        return Some((place, compared(function, place, right, call)?));
    }
    let (linear, Expr::Int(limit)) = (Linear::of(left)?, right) else { return None };
    // Only where the factor divides the limit is the bound that is shown the bound that holds.
    let limit = linear.solve(*limit)?;
    let function = if linear.factor < 0 { mirrored(function)? } else { function };
    let words = match function {
        Function::Lt => format!("at most {}", limit.checked_sub(1)?),
        Function::Gt => format!("at least {}", limit.checked_add(1)?),
        function => relation(function, limit),
    };
    Some((places.number(linear.symbol)?, words))
}

/// What makes `factor * place + offset` a multiple of the divisor.
fn multiple(linear: &Linear, divisor: i64) -> Option<String> {
    let (1 | -1, 2..) = (linear.factor, divisor) else { return None };
    match linear.offset.checked_mul(-linear.factor)?.rem_euclid(divisor) {
        0 => Some(format!("a multiple of {divisor}")),
        rest => Some(format!("a multiple of {divisor} plus {rest}")),
    }
}

/// A place beside an expression of other places.
fn compared(function: Function, place: usize, other: &Expr, call: &Refusal) -> Option<String> {
    let places = &call.interface.checks.places;
    let mut own = false;
    other.each_symbol(&mut |id| own |= places.number(id) == Some(place));
    let value = other.eval_int(call.values).ok().filter(|_| !own)?;
    let words = relation(function, value);
    if places.first(other).is_none() {
        return Some(words);
    }
    match other.as_symbol().and_then(|id| places.number(id)) {
        Some(one) if function == Function::Eq => Some(format!("{words}, the same as {}", call.full(one))),
        _ => Some(format!("{words}, as {}", call.given(other))),
    }
}

fn relation(function: Function, other: i64) -> String {
    match function {
        Function::Ne => format!("other than {other}"),
        Function::Lt => format!("less than {other}"),
        Function::Le => format!("at most {other}"),
        Function::Gt => format!("more than {other}"),
        Function::Ge => format!("at least {other}"),
        _ => other.to_string(),
    }
}

/// The function for which the sides may be exchanged.
fn mirrored(function: Function) -> Option<Function> {
    Some(match function {
        Function::Eq | Function::Ne => function,
        Function::Lt => Function::Gt,
        Function::Le => Function::Ge,
        Function::Gt => Function::Lt,
        Function::Ge => Function::Le,
        _ => return None,
    })
}
