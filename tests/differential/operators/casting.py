"""Conversions between element types."""

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

from operators.draw import ANY, FLOATS, chance, elements, floats, opset, pick, shape, some

NARROW = {"bfloat16": TensorProto.BFLOAT16, "float8_e4m3fn": TensorProto.FLOAT8E4M3FN, "float8_e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ,
          "float8_e5m2": TensorProto.FLOAT8E5M2,
          "float8_e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ, "int4": TensorProto.INT4, "uint4": TensorProto.UINT4}
NUMERALS = ["0", "1", "-1", "3.5", "-2.25", "1e3", "1e-3", "NaN", "INF", "-INF", "+inf", "123456", "7"]


def number_of(dtype):
    return TensorProto.STRING if dtype == "str" else NARROW.get(dtype) or helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def source(rng, dtype, target):
    dims = shape(rng, 0, 3, 7, 0.03)
    if dtype == "str":
        whole = target not in FLOATS and (target not in NARROW or "int4" in target)
        texts = ["0", "1", "3" if target.startswith("u") else "-1", "5", "7"] if whole else NUMERALS
        return np.asarray(np.array(texts, object)[rng.integers(0, len(texts), dims)], object)
    if dtype in NARROW:
        low, high = {"int4": (-8, 7), "uint4": (0, 15)}.get(dtype, (0 if target.startswith("uint") else -7, 7 if target.endswith("int4") else 30))
        values = rng.integers(low, high + 1, dims) if "int4" in dtype else rng.uniform(low, high, dims)
        return np.asarray(values).astype(getattr(ml_dtypes, dtype))
    if dtype in FLOATS:
        high = 500 if target in FLOATS or target in NARROW else 100
        special = 0.2 if target in FLOATS + ("bool", "str") or "float" in target else 0
        high = 15 if target == "uint4" else 7 if target == "int4" else high
        return floats(rng, dims, dtype, 0 if target.startswith("uint") else -high, high, special)
    return elements(rng, dims, dtype)


def conversion(op_type):
    def generate(rng):
        version = opset(rng, op_type)
        types = ANY + (tuple(name for name in NARROW if version >= 21 or "int4" not in name) if version >= 19 and chance(rng, 0.4) else ())
        dtype, target = pick(rng, types), pick(rng, types)
        value = source(rng, dtype, target)
        given = {"saturate": int(rng.integers(2))} if target.startswith("float8") and chance(rng, 0.4) else {}
        made = {"opset": version, "inputs": [value], "wide": [0] if target in NARROW else [],
                "constants": [0] if dtype in NARROW else some(rng, [0], 0.2),
                "node_attributes": given, "tolerance": (1e-6, 0) if target == "str" else (0, 0)}
        if op_type == "Cast":
            given["to"] = int(number_of(target))
        else:
            made["inputs"].append(np.zeros([1], getattr(ml_dtypes, target) if target in NARROW else object if target == "str" else target))
            if target == "str":
                made["inputs"][1][:] = ""
            if target in NARROW:
                made["constants"] = made["constants"] + [1]
        return made
    return generate


def bit_cast(rng):
    widths = {1: ("int8", "uint8"), 2: ("int16", "uint16", "float16"), 4: ("int32", "uint32", "float32"), 8: ("int64", "uint64", "float64")}
    types = widths[pick(rng, [1, 2, 4, 8])]
    return {"opset": opset(rng, "BitCast"), "node_attributes": {"to": int(number_of(pick(rng, types)))},
            "inputs": [elements(rng, shape(rng, 0, 3), pick(rng, types))]}


CASES = {
    "BitCast": bit_cast,
    "Cast": conversion("Cast"),
    "CastLike": conversion("CastLike"),
}
