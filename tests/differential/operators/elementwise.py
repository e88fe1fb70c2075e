"""Operators that work on each element."""

import numpy as np

from operators.draw import (FLOATS, INTEGERS, NUMBERS, SIGNED, UNSIGNED, alike, broadcasting, chance, elements, float_type, floats, integers, opset,
                            pick,
                            shape, some)


# f(-0) is -0.
ODD = {"Asin", "Asinh", "Atan", "Atanh", "Ceil", "Erf", "Floor", "Identity", "LeakyRelu", "Neg", "Reciprocal", "Round", "Sin", "Sinh", "Softsign", "Sqrt", "Tan", "Tanh"}


def unary(op_type, low=-3.0, high=3.0, types=None, attributes=None, special=0.15, tolerance=None, tolerance_of_doubles=(1e-6, 1e-9)):
    """A generator of one-input cases; `attributes` is name -> (low, high), each given three times out of four."""
    def generate(rng):
        dtype = pick(rng, types) if types else float_type(rng)
        value = elements(rng, shape(rng, most=9), dtype) if dtype not in FLOATS else floats(rng, shape(rng, most=9), dtype, low, high, special)
        given = {name: float(rng.uniform(*bounds)) for name, bounds in (attributes or {}).items() if chance(rng, 0.75)}
        return {"opset": opset(rng, op_type), "node_attributes": given, "inputs": [value], "constants": some(rng, [0], 0.1),
                "signed_zeros": op_type in ODD,
                "tolerance": tolerance if dtype == "float32" else tolerance_of_doubles if dtype == "float64" else None}
    return generate


def gelu(rng):
    made = unary("Gelu")(rng)
    made["node_attributes"] = pick(rng, [{}, {"approximate": "none"}, {"approximate": "tanh"}])
    return made


def is_inf(rng):
    made = unary("IsInf", special=0.9)(rng)
    made["node_attributes"] = {name: int(rng.integers(2)) for name in ("detect_positive", "detect_negative") if chance(rng, 0.6)}
    return made


def rounding(op_type):
    def generate(rng):
        dtype = float_type(rng)
        value = floats(rng, shape(rng, most=9), dtype, -9, 9, 0.2)
        value = np.where(rng.random(value.shape) < 0.4, np.round(value) + dtype_half(rng, value.shape), value).astype(dtype)
        return {"opset": opset(rng, op_type), "inputs": [value], "signed_zeros": True}
    return generate


def dtype_half(rng, dims):
    return np.array([-0.5, 0.5, 0.0])[rng.integers(0, 3, dims)]


def clip(rng):
    version = opset(rng, "Clip")
    dtype = pick(rng, FLOATS + ("float32",) * 3 + (INTEGERS if version >= 12 else ()))
    value = elements(rng, shape(rng, most=9), dtype)
    low, high = np.sort(elements(rng, [2], dtype))
    if version >= 11 and chance(rng, 0.1):
        low, high = high, low
    if version < 11:
        given = {name: float(bound) for name, bound in (("min", low), ("max", high)) if chance(rng, 0.7)}
        return {"opset": version, "node_attributes": given, "inputs": [value]}
    inputs = [value, low if chance(rng, 0.7) else None, high if chance(rng, 0.7) else None]
    return {"opset": version, "inputs": inputs, "constants": some(rng, [1, 2])}


def binary(op_type, types=NUMBERS, low=None, tolerance=None, special=0.1):
    def generate(rng):
        version = opset(rng, op_type) if low is None else opset(rng, op_type, low)
        dtype = pick(rng, types + ("float32",) * 4 if "float32" in types else types)
        a, b = [pair_element(rng, dims, dtype, special) for dims in broadcasting(rng, 2)]
        if op_type == "Div" and np.dtype(dtype).kind in "iu":
            b = np.where(b == 0, np.asarray(1, b.dtype), b).astype(b.dtype)
            if np.dtype(dtype).kind == "i":
                b = np.where(b == -1, np.asarray(2, b.dtype), b).astype(b.dtype)
        return {"opset": version, "inputs": [a, b], "constants": some(rng, [0, 1], 0.2), "tolerance": tolerance, "signed_zeros": True}
    return generate


def pair_element(rng, dims, dtype, special):
    if dtype != "str" and np.dtype(dtype).kind == "f":
        value = floats(rng, dims, dtype, -3, 3, special)
        return np.round(value) if chance(rng, 0.3) else value
    return elements(rng, dims, dtype)


def bit_shift(rng):
    dtype = pick(rng, UNSIGNED)
    dims = broadcasting(rng, 2)
    bits = np.dtype(dtype).itemsize * 8
    return {"opset": opset(rng, "BitShift"), "node_attributes": {"direction": pick(rng, ["LEFT", "RIGHT"])},
            "inputs": [integers(rng, dims[0], dtype), integers(rng, dims[1], dtype, 0, bits - 1)]}


def power(rng):
    version = opset(rng, "Pow")
    base = pick(rng, ("float32", "float32", "float64", "float16", "int32", "int64")) if version >= 12 else pick(rng, FLOATS)
    exponent = pick(rng, ("float32", "float64", "int32", "int64", base)) if version >= 12 else base
    dims = broadcasting(rng, 2)
    a = floats(rng, dims[0], base, -3, 3, 0.1) if np.dtype(base).kind == "f" else integers(rng, dims[0], base, -5, 5)
    b = floats(rng, dims[1], exponent, -3, 3, 0.1) if np.dtype(exponent).kind == "f" else integers(rng, dims[1], exponent, 0, 5)
    if chance(rng, 0.4) or np.dtype(base).kind in "iu":
        b = np.round(b)
    if np.dtype(base).kind in "iu":
        b = np.abs(np.nan_to_num(b, posinf=2, neginf=2)) if np.dtype(exponent).kind == "f" else b
    return {"opset": version, "inputs": [a, np.asarray(b, exponent)], "constants": some(rng, [1]),
            "tolerance": (2e-5, 1e-5) if base == "float32" else None}


def modulo(rng):
    dtype = pick(rng, NUMBERS)
    dims = broadcasting(rng, 2)
    real = np.dtype(dtype).kind == "f"
    a = floats(rng, dims[0], dtype, -9, 9) if real else integers(rng, dims[0], dtype)
    b = floats(rng, dims[1], dtype, 0.5, 4) * (1 if chance(rng, 0.5) else -1) if real else integers(rng, dims[1], dtype)
    if not real:
        b = np.where(b == 0, np.asarray(3, b.dtype), b).astype(b.dtype)
        b = np.where(b == -1, np.asarray(5, b.dtype), b).astype(b.dtype) if dtype in SIGNED else b
    return {"opset": opset(rng, "Mod"), "node_attributes": {"fmod": 1} if real or chance(rng, 0.5) else {}, "inputs": [a, np.asarray(b, dtype)]}


def variadic(op_type, types):
    def generate(rng):
        version = opset(rng, op_type, 8)
        dtype = pick(rng, types)
        count = int(rng.integers(1, 5))
        return {"opset": version, "inputs": [pair_element(rng, dims, dtype, 0.1) for dims in broadcasting(rng, count)],
                "constants": some(rng, range(count), 0.2),
                "tolerance": (1e-2, 1e-2) if dtype == "float16" else None}
    return generate


def prelu(rng):
    version = opset(rng, "PRelu")
    dtype = pick(rng, FLOATS + ("float32",) * 3 + (("int32", "int64", "uint32", "uint64") if version >= 9 else ()))
    full = shape(rng, 1, 4)
    return {"opset": version, "inputs": [elements(rng, full, dtype), elements(rng, alike(rng, full), dtype)], "constants": some(rng, [1])}


def where(rng):
    dtype = pick(rng, NUMBERS + ("bool", "str"))
    dims = broadcasting(rng, 3)
    return {"opset": opset(rng, "Where"), "inputs": [elements(rng, dims[0], "bool")] + [elements(rng, d, dtype) for d in dims[1:]],
            "constants": some(rng, range(3), 0.2)}


ALPHA = {"alpha": (-2, 2)}
CASES = {
    "Abs": unary("Abs", types=NUMBERS + ("float32",) * 3),
    "Acos": unary("Acos", -1.1, 1.1),
    "Acosh": unary("Acosh", 0.9, 20),
    "Add": binary("Add"),
    "And": binary("And", ("bool",)),
    "Asin": unary("Asin", -1.1, 1.1),
    "Asinh": unary("Asinh", -20, 20),
    "Atan": unary("Atan", -20, 20),
    "Atanh": unary("Atanh", -1.1, 1.1),
    "BitShift": bit_shift,
    "BitwiseAnd": binary("BitwiseAnd", INTEGERS),
    "BitwiseNot": unary("BitwiseNot", types=INTEGERS),
    "BitwiseOr": binary("BitwiseOr", INTEGERS),
    "BitwiseXor": binary("BitwiseXor", INTEGERS),
    "Ceil": rounding("Ceil"),
    "Celu": unary("Celu", attributes={"alpha": (0.1, 3)}),
    "Clip": clip,
    "Cos": unary("Cos", -20, 20, tolerance=(1e-5, 2e-6)),
    "Cosh": unary("Cosh", -9, 9),
    "Div": binary("Div"),
    "Elu": unary("Elu", attributes=ALPHA),
    "Equal": binary("Equal", NUMBERS + ("bool", "str"), low=7),
    "Erf": unary("Erf", types=("float32", "float32", "float64", "float16", "int32")),
    "Exp": unary("Exp", -20, 20, tolerance=(1e-5, 1e-12)),
    "Floor": rounding("Floor"),
    "Gelu": gelu,
    "Greater": binary("Greater"),
    "GreaterOrEqual": binary("GreaterOrEqual"),
    "HardSigmoid": unary("HardSigmoid", -9, 9, attributes={"alpha": (-1, 1), "beta": (-1, 1)}),
    "HardSwish": unary("HardSwish", -9, 9, tolerance_of_doubles=(1e-6, 1e-6)),
    "Identity": unary("Identity", types=NUMBERS + ("bool", "str")),
    "IsInf": is_inf,
    "IsNaN": unary("IsNaN", special=0.9),
    "LeakyRelu": unary("LeakyRelu", attributes=ALPHA),
    "Less": binary("Less"),
    "LessOrEqual": binary("LessOrEqual"),
    "Log": unary("Log", -0.1, 20),
    "Max": variadic("Max", NUMBERS + ("float32",) * 4),
    "Mean": variadic("Mean", FLOATS + ("float32",) * 4),
    "Min": variadic("Min", NUMBERS + ("float32",) * 4),
    "Mish": unary("Mish", -20, 20),
    "Mod": modulo,
    "Mul": binary("Mul"),
    "Neg": unary("Neg", types=FLOATS + SIGNED + ("float32",) * 3),
    "Not": unary("Not", types=("bool",)),
    "Or": binary("Or", ("bool",)),
    "PRelu": prelu,
    "Pow": power,
    "Reciprocal": unary("Reciprocal"),
    "Relu": unary("Relu", types=FLOATS + SIGNED + ("float32",) * 4),
    "Round": rounding("Round"),
    "Selu": unary("Selu", attributes={"alpha": (0.1, 3), "gamma": (0.1, 3)}),
    "Shrink": unary("Shrink", types=NUMBERS, attributes={"bias": (-2, 2), "lambd": (0, 2)}, tolerance_of_doubles=(1e-6, 1e-6)),
    "Sigmoid": unary("Sigmoid", -20, 20),
    "Sign": unary("Sign", types=NUMBERS),
    "Sin": unary("Sin", -20, 20, tolerance=(1e-5, 2e-6)),
    "Sinh": unary("Sinh", -9, 9),
    "Softplus": unary("Softplus", -30, 30),
    "Softsign": unary("Softsign"),
    "Sqrt": unary("Sqrt", -0.5, 20),
    "Sub": binary("Sub"),
    "Sum": variadic("Sum", FLOATS + ("float32",) * 4),
    "Swish": unary("Swish", -9, 9, attributes={"alpha": (-2, 2)}),
    "Tan": unary("Tan", -1.5, 1.5),
    "Tanh": unary("Tanh", -9, 9),
    "ThresholdedRelu": unary("ThresholdedRelu", attributes=ALPHA),
    "Where": where,
    "Xor": binary("Xor", ("bool",)),
}
