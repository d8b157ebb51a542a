"""Writes expressions with the values that PyTorch gives them.

Run with PyTorch 2.11: python make_expressions.py > expressions.json. The text is what `_print_sympy` writes, the
values are those of `PythonReferenceAnalysis`, or of Python's own eval for guards.
"""

import json
import math

import sympy
from sympy import Float, Integer, Max, Min, Mul, Pow, Rational, Symbol
from torch.utils._sympy import functions as f
from torch.utils._sympy.interp import sympy_interp
from torch.utils._sympy.reference import PythonReferenceAnalysis

a, b = Symbol("a", integer=True), Symbol("b", integer=True)
BINDINGS = [(1, 2), (7, 3), (-7, 3), (7, -3), (0, 5), (9007199254740993, 7), (-5, -2), (513, 16)]
EXPRESSIONS = [
    a, 2 * a, a + b, a - b, a * b, -a, a**2, a * b + 2 * a - 7, f.FloorDiv(a, b), f.FloorDiv(a + 2, 3),
    f.PythonMod(a, b), f.PythonMod(a + 1, 4), f.FloorDiv(-a, b), f.Identity(a), f.CleanDiv(6 * a, b),
    Max(a, b), Min(a, b, 4), Max(1, f.FloorDiv(a, 2)), f.IntTrueDiv(a, b), f.IntTrueDiv(a, Integer(3)), f.ToFloat(a),
    f.TruncToInt(Float(1.7) * f.ToFloat(a)), f.TruncToInt(f.IntTrueDiv(a, b)), f.CeilToInt(f.IntTrueDiv(a, b)),
    f.FloorToInt(f.IntTrueDiv(a, b)), f.RoundToInt(f.IntTrueDiv(b, Integer(2))), f.TruncToFloat(f.IntTrueDiv(a, b)),
    f.FloatTrueDiv(f.ToFloat(a), f.ToFloat(b)),
    f.FloatPow(f.ToFloat(a), Float(3.0)), f.PowByNatural(b, Integer(5)), f.PowByNatural(Integer(2), Max(b, 0)),
    f.LShift(a, Integer(2)), f.RShift(a, Integer(2)), f.ModularIndexing(a, Integer(2), Integer(5)),
    f.Where(a < b, a, b), sympy.Eq(a, b), sympy.Ne(a, b), a < b, a <= b, a > b, a >= b, sympy.And(a < b, b > 0),
    sympy.Or(a < b, b < 0), sympy.Not(sympy.Eq(a, b)), sympy.Eq(f.PythonMod(a, 2), 0),
    f.OpaqueUnaryFn_sqrt(f.ToFloat(b * b)), Rational(1, 2) * (a * 2 + 4),
    f.FloorDiv(f.FloorDiv(a + 3, 2) + 3, 2) + 1, f.IntTrueDiv(a, Integer(9007199254740993)),
]
GUARDS = [
    "(a // b) <= a", "((-2) + a) != 1", "1 < (-2) + b", "(((-2) + a) % 2) == 0", "a == (1 + b)", "a == 7 or b == 2",
    "a == 7 and b == 3", "not a == 7", "min(a, b, 4) == max(1, a) - 2", "math.trunc(1.5*float(a)) >= b", "-b**2 < 0",
    "2*a + (-3)*b >= a - b - 1", "a / 2 == 3.5", "1 <= b < 4 != a", "2**3**2 > a", "a % b * 2 + 1 > 0",
]


def value(compute):
    try:
        result = compute()
    except (ZeroDivisionError, ValueError, OverflowError, AssertionError) as error:
        return {"error": type(error).__name__}
    kind = {bool: "bool", int: "int", float: "float"}[type(result)]
    return {kind: result}


def plain(result):
    """sympy's number as Python's."""
    if result in (sympy.true, sympy.false):
        return bool(result)
    return int(result) if result.is_integer and not result.is_Float else float(result)


def reference(expr, bindings):
    """PyTorch's own interpreter; sympy's substitution for the functions it leaves out."""
    try:
        result = sympy_interp(PythonReferenceAnalysis, bindings, expr)
        return result if type(result) in (bool, int, float) else plain(result)
    except (AttributeError, NotImplementedError, KeyError, TypeError):
        return plain(expr.subs(bindings))


rows = []
for x, y in BINDINGS:
    for e in EXPRESSIONS:
        run = lambda: reference(e, {a: x, b: y})
        rows.append({"text": sympy.srepr(e), "a": x, "b": y, **value(run)})
        rows.append({"text": str(e), "a": x, "b": y, **value(run)})
    for text in GUARDS:
        rows.append({"text": text, "a": x, "b": y, **value(lambda: eval(text, {"math": math}, {"a": x, "b": y}))})
print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
