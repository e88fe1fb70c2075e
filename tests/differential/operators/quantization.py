"""Quantised operators."""

import ml_dtypes
import numpy as np
from onnx import TensorProto

from operators.draw import chance, floats, integers, opset, pick, shape, signed_axis, size, some
from operators.windows import Window, groups_of

BYTES = ("uint8", "int8")
SMALL = {"int4": (ml_dtypes.int4, -8, 7), "uint4": (ml_dtypes.uint4, 0, 15)}
FLOAT8 = {"float8_e4m3fn": TensorProto.FLOAT8E4M3FN, "float8_e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ, "float8_e5m2": TensorProto.FLOAT8E5M2,
          "float8_e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ}


def quantized(rng, dims, dtype):
    if dtype in SMALL:
        kind, low, high = SMALL[dtype]
        return np.asarray(rng.integers(low, high + 1, dims)).astype(kind)
    if dtype in FLOAT8:
        return floats(rng, dims, "float32", -30, 30).astype(getattr(ml_dtypes, dtype))
    info = np.iinfo(dtype)
    return integers(rng, dims, dtype, info.min, info.max)


def zero_points(rng, dims, dtype):
    if dtype in FLOAT8:
        return np.zeros(dims, getattr(ml_dtypes, dtype))
    if dtype in SMALL:
        return quantized(rng, dims, dtype)
    return integers(rng, dims, dtype, -20 if dtype[0] == "i" else 0, 40)


def scales(rng, dims, dtype="float32", low=0.01, high=0.3):
    return floats(rng, dims, dtype, low, high)


def granularity(rng, version, dims):
    """(attributes, shape of scale): per tensor, per axis, or blocked."""
    kinds = ["tensor", "axis"] if version >= 13 and dims else ["tensor"]
    kind = pick(rng, kinds + (["block"] if version >= 21 and dims else []))
    if kind == "tensor":
        return {}, pick(rng, [[], [], [1]])
    axis = int(rng.integers(len(dims)))
    given = {"axis": signed_axis(rng, axis, len(dims))}
    if kind == "axis":
        return given, [dims[axis]]
    block = int(rng.integers(1, max(dims[axis], 1) + 1))
    blocks = -(-dims[axis] // block)
    return given | {"block_size": block}, dims[:axis] + [blocks] + dims[axis + 1:]


def target_types(version):
    return BYTES * 2 + (("int16", "uint16", "int4", "uint4") if version >= 21 else ()) + (tuple(FLOAT8) if version >= 19 else ())


def quantize_linear(rng):
    version = opset(rng, "QuantizeLinear", 10)
    dims = shape(rng, 0, 4, 5, 0.02)
    given, per = granularity(rng, version, dims)
    kind = pick(rng, ("float32",) * 3 + (("float16",) if version >= 19 else ()))
    dtype = pick(rng, target_types(version))
    scale = scales(rng, per, kind)
    value = floats(rng, dims, kind, -9, 9)
    if chance(rng, 0.3):
        scale = np.full_like(scale, 0.5)
        value = (np.round(value * 4) / 4).astype(kind)
    inputs = [value, scale]
    if dtype != "uint8" or chance(rng, 0.8):
        inputs.append(zero_points(rng, per, dtype))
    if dtype in FLOAT8 and chance(rng, 0.5):
        given["saturate"] = int(rng.integers(2))
    return {"opset": version, "node_attributes": given, "inputs": inputs,
            "constants": [2] if dtype in SMALL or dtype in FLOAT8 else some(rng, [1, 2], 0.6),
            "wide": [0] if dtype in SMALL or dtype in FLOAT8 else [],
            "tolerance": None if kind != "float16" else (0.26, 0) if dtype in FLOAT8 else (0, 1)}  # the quotient may be rounded to float16 first


def dequantize_linear(rng):
    version = opset(rng, "DequantizeLinear", 10)
    dims = shape(rng, 0, 4, 5, 0.02)
    given, per = granularity(rng, version, dims)
    kind = pick(rng, ("float32",) * 3 + (("float16",) if version >= 19 else ()))
    dtype = pick(rng, target_types(version) + ("int32",))
    inputs = [quantized(rng, dims, dtype), scales(rng, per, kind)]
    if dtype != "int32" and chance(rng, 0.8):
        inputs.append(zero_points(rng, per, dtype))
    return {"opset": version, "node_attributes": given, "inputs": inputs,
            "constants": [0, 2] if dtype in SMALL or dtype in FLOAT8 else some(rng, [1, 2], 0.6)}


def dynamic_quantize_linear(rng):
    low, high = pick(rng, [(-3, 3), (0, 5), (-7, -1), (1, 9), (0, 0)])
    value = floats(rng, shape(rng, 1, 3, 7, 0.0), "float32", low, high)
    return {"opset": opset(rng, "DynamicQuantizeLinear"), "inputs": [value], "outputs": 3, "tolerance": (1e-6, 1)}


def qlinear_conv(rng):
    window = Window(rng)
    groups, ins, outs = groups_of(rng)
    given = window.attributes(rng) | ({"group": groups} if groups != 1 else {})
    x, w = pick(rng, [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
    per = [groups * outs] if chance(rng, 0.4) else []
    weight_zero = np.zeros(per, w) if per or w == "int8" else zero_points(rng, per, w)
    inputs = [quantized(rng, [size(rng, 2), groups * ins] + window.sizes, x), scales(rng, []), zero_points(rng, [], x),
              quantized(rng, [groups * outs, ins] + window.kernel, w),
              scales(rng, per), weight_zero, scales(rng, [], low=0.5, high=9), zero_points(rng, [], x)]
    if chance(rng, 0.5):
        inputs.append(integers(rng, [groups * outs], "int32", -900, 900))
    return {"opset": opset(rng, "QLinearConv"), "node_attributes": given, "inputs": inputs, "constants": [1, 2, 4, 5, 6, 7] + some(rng, [0, 3, 8]),
            "tolerance": (0, 1)}


def qlinear_matmul(rng):
    version = opset(rng, "QLinearMatMul")
    m, k, n = size(rng, 8), size(rng, 8), size(rng, 8)
    batch = shape(rng, 0, 1, 3, 0.0)
    a, b = pick(rng, [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
    per = [n] if chance(rng, 0.3) else []
    weight = [k, n] if per or chance(rng, 0.6) else batch + [k, n]
    inputs = [quantized(rng, batch + [m, k], a), scales(rng, []), zero_points(rng, [], a), quantized(rng, weight, b), scales(rng, per),
              zero_points(rng, per, b),
              scales(rng, [], low=0.5, high=9), zero_points(rng, [], a)]
    return {"opset": version, "inputs": inputs, "constants": some(rng, range(8), 0.5), "tolerance": (0, 1)}


CASES = {
    "DequantizeLinear": dequantize_linear,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "QuantizeLinear": quantize_linear,
}
