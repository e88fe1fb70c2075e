"""Normalisations."""

import numpy as np

from operators.draw import chance, elements, float_type, floats, opset, pick, shape, signed_axis, size, some
from operators.sampling import training_dropout

NORM = {"float32": (5e-5, 2e-5), "float16": (1e-2, 1e-2), "float64": (1e-4, 1e-4)}


def epsilon(rng):
    return {"epsilon": float(10 ** rng.uniform(-6, -2))} if chance(rng, 0.6) else {}


def image(rng, dtype, low=1, high=3):
    return floats(rng, [size(rng, 3, 0.02), size(rng, 5)] + shape(rng, low, high, 5, 0.0), dtype)


def batch_normalization(rng):
    version = opset(rng, "BatchNormalization")
    dtype = float_type(rng)
    value = image(rng, dtype, 0)
    other = [pick(rng, [dtype, "float32"]) if version >= 15 else dtype for _ in range(2)]
    channels = value.shape[1]
    given = epsilon(rng) | ({"momentum": float(rng.uniform(0.5, 1))} if chance(rng, 0.3) else {})
    if version < 9 and chance(rng, 0.3):
        given["spatial"] = 1
    made = {"opset": version, "node_attributes": given, "constants": some(rng, range(1, 5), 0.5), "tolerance": NORM[dtype],
            "inputs": [value, floats(rng, [channels], other[0]), floats(rng, [channels], other[0]), floats(rng, [channels], other[1]),
                       floats(rng, [channels], other[1], 0.1, 3)]}
    if version >= 14 and value.size and chance(rng, 0.25):
        given["training_mode"] = 1
        made["outputs"] = 3
    return made


def instance_normalization(rng):
    dtype = float_type(rng)
    value = image(rng, dtype)
    channels = value.shape[1]
    return {"opset": opset(rng, "InstanceNormalization"), "node_attributes": epsilon(rng), "tolerance": NORM[dtype],
            "constants": some(rng, [1, 2], 0.5),
            "inputs": [value, floats(rng, [channels], dtype), floats(rng, [channels], dtype)]}


def group_normalization(rng):
    version = opset(rng, "GroupNormalization", 21)
    dtype = float_type(rng)
    groups, per_group = size(rng, 3), size(rng, 3)
    value = floats(rng, [size(rng, 3), groups * per_group] + shape(rng, 1, 3, 5, 0.0), dtype)
    channels = [groups * per_group]
    given = epsilon(rng) | {"num_groups": groups} | ({"stash_type": 1} if chance(rng, 0.3) else {})
    return {"opset": version, "node_attributes": given, "tolerance": NORM[dtype], "constants": some(rng, [1, 2], 0.5),
            "inputs": [value, floats(rng, channels, dtype), floats(rng, channels, dtype)]}


def layer_normalization(rng):
    dtype = float_type(rng)
    dims = shape(rng, 1, 4, 6, 0.0)
    axis = int(rng.integers(len(dims)))
    given = epsilon(rng) | ({"axis": signed_axis(rng, axis, len(dims))} if axis != len(dims) - 1 or chance(rng, 0.5) else {})
    inputs = [floats(rng, dims, dtype), floats(rng, dims[axis:], dtype)] + ([floats(rng, dims[axis:], dtype)] if chance(rng, 0.6) else [])
    outputs = pick(rng, [1, 1, 3, 2])
    left_out = (1,) if outputs == 3 and chance(rng, 0.3) else ()
    tolerance = NORM[dtype]
    return {"opset": opset(rng, "LayerNormalization"), "node_attributes": given, "inputs": inputs, "outputs": outputs, "left_out": left_out,
            "tolerance": tolerance,
            "constants": some(rng, [1, 2], 0.4)}


def rms_normalization(rng):
    dtype = float_type(rng)
    dims = shape(rng, 1, 4, 6, 0.0)
    axis = int(rng.integers(len(dims)))
    given = epsilon(rng) | ({"axis": signed_axis(rng, axis, len(dims))} if axis != len(dims) - 1 or chance(rng, 0.5) else {})
    return {"opset": opset(rng, "RMSNormalization"), "node_attributes": given, "inputs": [floats(rng, dims, dtype), floats(rng, dims[axis:], dtype)],
            "constants": some(rng, [1], 0.4), "tolerance": NORM[dtype]}


def lp_normalization(rng):
    dims = shape(rng, 1, 4, 6, 0.0)
    dtype = float_type(rng)
    given = {"axis": signed_axis(rng, int(rng.integers(len(dims))), len(dims))} if chance(rng, 0.7) else {}
    value = floats(rng, dims, dtype)
    if chance(rng, 0.1):
        value = np.zeros_like(value)
    return {"opset": opset(rng, "LpNormalization"), "node_attributes": given | ({"p": int(rng.integers(1, 3))} if chance(rng, 0.6) else {}),
            "inputs": [value]}


def mean_variance_normalization(rng):
    value = floats(rng, [size(rng, 3), size(rng, 4), size(rng, 5), size(rng, 5)], pick(rng, ["float32"] * 12 + ["float16", "float64"]))
    axes = [int(a) for a in sorted(rng.permutation(4)[:int(rng.integers(1, 5))])]
    return {"opset": opset(rng, "MeanVarianceNormalization"), "node_attributes": {"axes": axes} if chance(rng, 0.6) else {},
            "inputs": [value + np.asarray(1, value.dtype)],
            "tolerance": (1e-3, 1e-3) if value.dtype == np.float32 else (2e-2, 2e-2)}


def lrn(rng):
    given = {"size": 2 * int(rng.integers(0, 4)) + 1}
    bounds = {"alpha": (1e-4, 2), "beta": (0.2, 1.5), "bias": (0.5, 2)}
    given |= {name: float(rng.uniform(low, high)) for name, (low, high) in bounds.items() if chance(rng, 0.7)}
    value = floats(rng, [size(rng, 3), size(rng, 7), size(rng, 5), size(rng, 5)], pick(rng, ["float32"] * 4 + ["float64", "float16"]))
    return {"opset": opset(rng, "LRN"), "node_attributes": given, "inputs": [value], "tolerance": (5e-5, 1e-5) if value.dtype == np.float32 else None}


def dropout(rng):
    if chance(rng, 0.2):
        return training_dropout(rng)
    version = opset(rng, "Dropout")
    value = elements(rng, shape(rng, 0, 4), float_type(rng))
    outputs = pick(rng, [1, 2])
    if version < 12:
        return {"opset": version, "node_attributes": {"ratio": float(rng.uniform(0, 1))} if chance(rng, 0.5) else {}, "inputs": [value],
                "outputs": outputs}
    ratio = np.array(rng.uniform(0.1, 0.9), pick(rng, ["float32", value.dtype.name])) if chance(rng, 0.6) else None
    return {"opset": version, "node_attributes": {"seed": 5} if chance(rng, 0.3) else {}, "outputs": outputs,
            "inputs": [value, ratio, np.array(False)] if chance(rng, 0.5) else [value] + ([ratio] if ratio is not None else [])}


CASES = {
    "BatchNormalization": batch_normalization,
    "Dropout": dropout,
    "GroupNormalization": group_normalization,
    "InstanceNormalization": instance_normalization,
    "LRN": lrn,
    "LayerNormalization": layer_normalization,
    "LpNormalization": lp_normalization,
    "MeanVarianceNormalization": mean_variance_normalization,
    "RMSNormalization": rms_normalization,
}
