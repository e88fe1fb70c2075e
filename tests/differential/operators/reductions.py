"""Operators along axes: reductions, running sums, sorting, softmax."""

import numpy as np

from operators.draw import FLOATS, axes_of, chance, elements, floats, integers, opset, pick, shape, signed_axis, some

REDUCED = ("float32", "float32", "float64", "float16", "int32", "int64", "uint32", "uint64")


def reduction(op_type, axes_input_since, types=REDUCED, low=-3.0, high=3.0, tolerance=(2e-5, 1e-5)):
    def generate(rng):
        version = opset(rng, op_type)
        dtype = pick(rng, types)
        dims = shape(rng, 0, 4, 6, 0.04)
        value = floats(rng, dims, dtype, low, high, 0.05) if dtype in FLOATS else small_integers(rng, dims, dtype)
        axes = None if chance(rng, 0.25) else axes_of(rng, len(dims))
        attributes = {"keepdims": int(rng.integers(2))} if chance(rng, 0.7) else {}
        made = {"opset": version, "node_attributes": attributes, "inputs": [value], "tolerance": tolerance if dtype == "float32" else None}
        if version < axes_input_since:
            attributes["axes"] = axes or None
            return made
        if chance(rng, 0.4):
            attributes["noop_with_empty_axes"] = int(rng.integers(2))
        if axes is not None:
            made["inputs"].append(np.array(axes, np.int64))
            made["constants"] = some(rng, [0, 1], 0.6)
        return made
    return generate


def small_integers(rng, dims, dtype):
    return elements(rng, dims, dtype) if dtype == "bool" else integers(rng, dims, dtype, -4, 4)


def arg(op_type):
    def generate(rng):
        dims = shape(rng, 1, 4, 6)
        dtype = pick(rng, ("float32", "float64", "float16", "int8", "uint8", "int32", "int64"))
        value = np.round(floats(rng, dims, dtype)) if dtype in FLOATS else integers(rng, dims, dtype, -3, 3)
        given = {}
        version = opset(rng, op_type)
        if chance(rng, 0.8):
            axis = int(rng.integers(len(dims)))
            given["axis"] = signed_axis(rng, axis, len(dims)) if version >= 11 else axis
        if chance(rng, 0.6):
            given["keepdims"] = int(rng.integers(2))
        if version >= 12 and chance(rng, 0.6):
            given["select_last_index"] = int(rng.integers(2))
        return {"opset": version, "node_attributes": given, "inputs": [value]}
    return generate


def running(op_type):
    def generate(rng):
        dims = shape(rng, 1, 4, 6)
        dtype = pick(rng, ("float32", "float64", "int32", "int64", "float16", "uint32"))
        axis = signed_axis(rng, int(rng.integers(len(dims))), len(dims))
        given = {name: int(rng.integers(2)) for name in ("exclusive", "reverse") if chance(rng, 0.6)}
        return {"opset": opset(rng, op_type), "node_attributes": given,
                "inputs": [floats(rng, dims, dtype) if dtype in FLOATS else integers(rng, dims, dtype, -3, 3),
                           np.array(axis, pick(rng, ["int32", "int64"]))],
                "constants": some(rng, [1]), "tolerance": (2e-5, 1e-5) if dtype == "float32" else None}
    return generate


def softmax(op_type):
    def generate(rng):
        version = opset(rng, op_type)
        dims = shape(rng, 1, 4, 8)
        given = {}
        if chance(rng, 0.8):
            axis = int(rng.integers(len(dims)))
            given["axis"] = signed_axis(rng, axis, len(dims)) if version >= 11 else axis
        elif version < 13 and len(dims) < 2:
            given["axis"] = 0
        value = floats(rng, dims, pick(rng, ("float32", "float32", "float64", "float16")), -9, 9)
        if value.size and chance(rng, 0.2):
            value = np.where(rng.random(value.shape) < 0.2, -np.inf, value).astype(value.dtype)
        return {"opset": version, "node_attributes": given, "inputs": [np.round(value) if op_type == "Hardmax" else value]}
    return generate


def top_k(rng):
    version = opset(rng, "TopK")
    dims = shape(rng, 1, 4, 8, 0.0)
    axis = int(rng.integers(len(dims)))
    k = int(rng.integers(0 if version >= 10 and chance(rng, 0.1) else 1, dims[axis] + 1))
    dtype = pick(rng, FLOATS + ("float32",) * 3 + ("int32", "int64", "int8", "uint8", "int16"))
    value = floats(rng, dims, dtype) if dtype in FLOATS else integers(rng, dims, dtype, -5, 5)
    value = np.round(value) if chance(rng, 0.5) else value
    given = {"axis": signed_axis(rng, axis, len(dims)) if version >= 11 else axis}
    if version < 10:
        return {"opset": version, "node_attributes": {**given, "k": k}, "inputs": [value], "outputs": 2}
    if version >= 11:
        given |= {name: int(rng.integers(2)) for name in ("largest",) if chance(rng, 0.6)}
        given |= {"sorted": 1} if chance(rng, 0.4) else {}
    return {"opset": version, "node_attributes": given, "inputs": [value, np.array([k], np.int64)], "outputs": 2, "constants": some(rng, [0, 1])}


CASES = {
    "ArgMax": arg("ArgMax"),
    "ArgMin": arg("ArgMin"),
    "CumProd": running("CumProd"),
    "CumSum": running("CumSum"),
    "Hardmax": softmax("Hardmax"),
    "LogSoftmax": softmax("LogSoftmax"),
    "ReduceL1": reduction("ReduceL1", 18),
    "ReduceL2": reduction("ReduceL2", 18),
    "ReduceLogSum": reduction("ReduceLogSum", 18, low=0.1, types=("float32", "float32", "float64", "float16")),
    "ReduceLogSumExp": reduction("ReduceLogSumExp", 18, types=("float32", "float32", "float64", "float16")),
    "ReduceMax": reduction("ReduceMax", 18, types=REDUCED + ("int8", "uint8", "bool")),
    "ReduceMean": reduction("ReduceMean", 18),
    "ReduceMin": reduction("ReduceMin", 18, types=REDUCED + ("int8", "uint8", "bool")),
    "ReduceProd": reduction("ReduceProd", 18, low=-1.5, high=1.5),
    "ReduceSum": reduction("ReduceSum", 13),
    "ReduceSumSquare": reduction("ReduceSumSquare", 18),
    "Softmax": softmax("Softmax"),
    "TopK": top_k,
}
