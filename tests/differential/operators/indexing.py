"""Operators that move elements by indexes or by their values: gathering, scattering, choosing."""

import numpy as np

from operators.draw import ANY, FLOATS, NUMBERS, chance, elements, integers, opset, pick, shape, signed_axis, size, some


def indexes(rng, dims, count, signed=True, dtype=None):
    low = -count if signed else 0
    return integers(rng, dims, dtype or pick(rng, ["int32", "int64"]), low, max(count - 1, low))


def gather(rng):
    dims = shape(rng, 1, 4, 6, 0.0)
    version = opset(rng, "Gather")
    axis = int(rng.integers(len(dims)))
    given = {"axis": signed_axis(rng, axis, len(dims)) if version >= 11 else axis} if axis or chance(rng, 0.5) else {}
    return {"opset": version, "node_attributes": given, "inputs": [elements(rng, dims, pick(rng, ANY)),
                                                                   indexes(rng, shape(rng, 0, 3, 4, 0.05), dims[axis], version >= 11)],
            "constants": some(rng, [0, 1], 0.3)}


def gather_elements(rng):
    dims = shape(rng, 1, 4, 6, 0.0)
    axis = int(rng.integers(len(dims)))
    taken = [int(rng.integers(1, n + 1)) if i != axis else size(rng, 6, 0.05) for i, n in enumerate(dims)]
    return {"opset": opset(rng, "GatherElements"), "node_attributes": {"axis": signed_axis(rng, axis, len(dims))} if axis or chance(rng, 0.5) else {},
            "inputs": [elements(rng, dims, pick(rng, ANY)), indexes(rng, taken, dims[axis])], "constants": some(rng, [0, 1], 0.3)}


def nd_indexes(rng, dims, lead, signed=True):
    """Tuples of indexes into the first axes of `dims`; (lead..., depth)."""
    depth = int(rng.integers(1, len(dims) + 1))
    columns = [indexes(rng, lead + [1], dims[i], signed, "int64") for i in range(depth)]
    return np.concatenate(columns, -1)


def gather_nd(rng):
    version = opset(rng, "GatherND")
    dims = shape(rng, 1, 4, 5, 0.0)
    batch = int(rng.integers(0, len(dims))) if version >= 12 and chance(rng, 0.5) else 0
    lead = dims[:batch] + shape(rng, 0, 2, 3, 0.03)
    return {"opset": version, "node_attributes": {"batch_dims": batch} if batch else {}, "constants": some(rng, [0, 1], 0.3),
            "inputs": [elements(rng, dims, pick(rng, ANY)), nd_indexes(rng, dims[batch:], lead)]}


def reduction_of(rng, version, dtype):
    if version < 16 or dtype in ("bool", "str") or chance(rng, 0.3):
        return {}
    return {"reduction": pick(rng, ["none", "add", "mul"] + (["max", "min"] if version >= 18 else []))}


def distinct(rng, dims, axis, count):
    """Indexes without repetition along the axis, so that the order of writes does not matter."""
    lines = int(np.prod(dims)) // max(dims[axis], 1)
    rows = np.array([rng.permutation(count)[:dims[axis]] for _ in range(lines)],
                    np.int64).reshape([n for i, n in enumerate(dims) if i != axis] + [dims[axis]])
    rows = np.moveaxis(rows, -1, axis)
    return rows - count * rng.integers(0, 2, rows.shape)


def scatter_elements(op_type):
    def generate(rng):
        version = opset(rng, op_type, high=10) if op_type == "Scatter" else opset(rng, op_type)
        dims = shape(rng, 1, 4, 5, 0.0)
        axis = int(rng.integers(len(dims)))
        written = [int(rng.integers(1, n + 1)) for n in dims]
        dtype = pick(rng, ANY)
        given = reduction_of(rng, version, dtype)
        where = distinct(rng, written, axis, dims[axis]) if given.get("reduction", "none") == "none" else indexes(rng, written, dims[axis])
        if op_type == "Scatter":
            where = where % dims[axis]
        value = (lambda d: integers(rng, d, dtype, -3, 3) if dtype in NUMBERS and dtype not in FLOATS else elements(rng, d, dtype))
        return {"opset": version, "node_attributes": {**given, "axis": signed_axis(rng, axis, len(dims)) if version >= 11 else axis},
                "inputs": [value(dims), where.astype(pick(rng, ["int32", "int64"])), value(written)], "constants": some(rng, range(3), 0.2)}
    return generate


def scatter_nd(rng):
    version = opset(rng, "ScatterND")
    dims = shape(rng, 1, 4, 4, 0.0)
    dtype = pick(rng, ANY)
    given = reduction_of(rng, version, dtype)
    where = nd_indexes(rng, dims, shape(rng, 0, 2, 3, 0.03))
    if given.get("reduction", "none") == "none":
        where = nd_distinct(rng, dims, where)
    value = (lambda d: integers(rng, d, dtype, -3, 3) if dtype in NUMBERS and dtype not in FLOATS else elements(rng, d, dtype))
    return {"opset": version, "node_attributes": given, "constants": some(rng, range(3), 0.2),
            "inputs": [value(dims), where, value(list(where.shape[:-1]) + dims[where.shape[-1]:])]}


def nd_distinct(rng, dims, where):
    """The same shape, or a shorter one, with no tuple twice."""
    depth = where.shape[-1]
    tuples = int(np.prod(dims[:depth]))
    wanted = int(np.prod(where.shape[:-1]))
    if wanted > tuples:
        where, wanted = where.reshape(-1, depth)[:tuples], tuples
    chosen = rng.permutation(tuples)[:wanted]
    return np.stack(np.unravel_index(chosen, dims[:depth]), -1).reshape(where.shape).astype(np.int64)


def one_hot(rng):
    version = opset(rng, "OneHot")
    dims = shape(rng, 1, 3, 4, 0.03)
    depth = int(rng.integers(1, 6))
    kind, values = pick(rng, ["int64", "int32", "float32"]), pick(rng, ["float32", "int32", "int64", "str"])
    value = integers(rng, dims, "int64", -depth - 1 if version >= 11 else 0, depth).astype(kind)
    depth_array = np.array(depth, pick(rng, ["int64", "int32", "float32"]))
    axis = int(rng.integers(-len(dims) - 1, len(dims) + 1)) if version >= 11 else -1
    return {"opset": version, "node_attributes": {"axis": axis} if chance(rng, 0.7) else {},
            "inputs": [value, depth_array.reshape([1]) if chance(rng, 0.3) else depth_array, elements(rng, [2], values)],
            "constants": some(rng, range(3), 0.3)}


def nonzero(rng):
    dtype = pick(rng, ("float32", "int32", "int64", "uint8", "bool"))
    dims = shape(rng, 0, 4, 5, 0.04)
    value = elements(rng, dims, "bool") if dtype == "bool" else integers(rng, dims, "int8", 0, 2).astype(dtype)
    return {"opset": opset(rng, "NonZero"), "inputs": [value]}


def compress(rng):
    version = opset(rng, "Compress")
    dims = shape(rng, 1, 4, 5, 0.02)
    axis = None if chance(rng, 0.4) else int(rng.integers(len(dims)))
    count = int(np.prod(dims)) if axis is None else dims[axis]
    length = int(rng.integers(0, count + 1))
    return {"opset": version, "node_attributes": {"axis": None if axis is None else signed_axis(rng, axis, len(dims)) if version >= 11 else axis},
            "inputs": [elements(rng, dims, pick(rng, ANY)), elements(rng, [length], "bool")], "constants": some(rng, [1], 0.3)}


def unique(rng):
    dims = shape(rng, 1, 3, 5, 0.02)
    dtype = pick(rng, ("float32", "float64", "int8", "int64", "str", "float32"))
    if dtype == "str":
        value = elements(rng, dims, "str")
    else:
        value = integers(rng, dims, "int64", -2, 2).astype(dtype)
    given = {"sorted": int(rng.integers(2))} if chance(rng, 0.6) else {}
    if chance(rng, 0.5):
        given["axis"] = signed_axis(rng, int(rng.integers(len(dims))), len(dims))
    return {"opset": opset(rng, "Unique"), "node_attributes": given, "inputs": [value], "outputs": 4,
            "left_out": pick(rng, [(), (), (1,), (2, 3), (1, 3)])}


def reverse_sequence(rng):
    dims = shape(rng, 2, 4, 5, 0.0)
    batch = int(rng.integers(2))
    given = {} if batch == 1 and chance(rng, 0.5) else {"batch_axis": batch, "time_axis": 1 - batch}
    return {"opset": opset(rng, "ReverseSequence"), "node_attributes": given, "constants": some(rng, [0, 1], 0.2),
            "inputs": [elements(rng, dims, pick(rng, ANY)), integers(rng, [dims[batch if given else 1]], "int64", 0 if chance(rng, 0.2) else 1,
                                                                     dims[1 - batch if given else 0])]}


def tensor_scatter(rng):
    dims = shape(rng, 3, 4, 5, 0.0)
    axis = int(rng.integers(1, len(dims)))
    mode = pick(rng, ["linear", "circular"])
    written = list(dims)
    written[axis] = int(rng.integers(1, dims[axis] + 1))
    inputs = [elements(rng, dims, "float32"), elements(rng, written, "float32")]
    if chance(rng, 0.8):
        inputs.append(integers(rng, [dims[0]], "int64", 0, dims[axis] - (written[axis] if mode == "linear" else 1)))
    return {"opset": opset(rng, "TensorScatter"), "node_attributes": {"axis": signed_axis(rng, axis, len(dims)), "mode": mode}, "inputs": inputs}


CASES = {
    "Compress": compress,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "NonZero": nonzero,
    "OneHot": one_hot,
    "ReverseSequence": reverse_sequence,
    "Scatter": scatter_elements("Scatter"),
    "ScatterElements": scatter_elements("ScatterElements"),
    "ScatterND": scatter_nd,
    "TensorScatter": tensor_scatter,
    "Unique": unique,
}
