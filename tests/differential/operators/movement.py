"""Operators that move elements by position: reshaping, joining, cutting, padding."""

import numpy as np

from operators.draw import ANY, NUMBERS, alike, axes_of, chance, elements, integers, opset, pick, shape, signed_axis, size, some


def factors(rng, total):
    """Sizes whose product is `total`."""
    dims = []
    while total > 1 and len(dims) < 4 and chance(rng, 0.8):
        dims.append(int(pick(rng, [n for n in range(1, total + 1) if total % n == 0])))
        total //= dims[-1]
    return dims + ([total] if total != 1 or chance(rng, 0.3) else [])


def reshape(rng):
    dims = shape(rng, 0, 4, 6, 0.03)
    dtype = pick(rng, ANY)
    version = opset(rng, "Reshape")
    total = int(np.prod(dims))
    given = {}
    if total:
        target = factors(rng, total)
        for i in range(min(len(target), len(dims))):
            if target[i] == dims[i] and chance(rng, 0.5):
                target[i] = 0
        if target and chance(rng, 0.5):
            target[int(rng.integers(len(target)))] = -1
        if version >= 14 and 0 not in target and chance(rng, 0.3):
            given["allowzero"] = int(rng.integers(2))
    else:
        target = list(rng.permutation(dims)) if version >= 14 else [0] * len(dims)
        given = {"allowzero": 1} if version >= 14 else {}
    return {"opset": version, "node_attributes": given, "inputs": [elements(rng, dims, dtype), np.array(target, np.int64)],
            "constants": some(rng, [0, 1], 0.5)}


def flatten(rng):
    dims = shape(rng, 0, 4)
    version = opset(rng, "Flatten")
    low = -len(dims) if version >= 11 else 0
    given = {"axis": int(rng.integers(low, len(dims) + 1))} if chance(rng, 0.8) else {}
    if not given and not dims:
        given = {"axis": 0}
    return {"opset": version, "node_attributes": given, "inputs": [elements(rng, dims, pick(rng, ANY))]}


def squeeze(rng):
    dims = [1 if chance(rng, 0.5) else n for n in shape(rng, 0, 5)]
    version = opset(rng, "Squeeze")
    ones = [i for i, n in enumerate(dims) if n == 1]
    axes = None if chance(rng, 0.3) else [signed_axis(rng, i, len(dims)) if version >= 11 else i for i in ones if chance(rng, 0.6)]
    return axes_in_version(rng, version, 13, elements(rng, dims, pick(rng, ANY)), axes)


def unsqueeze(rng):
    dims = shape(rng, 0, 4)
    version = opset(rng, "Unsqueeze")
    added = int(rng.integers(1, 4))
    rank = len(dims) + added
    axes = [int(a) for a in rng.permutation(rank)[:added]]
    axes = [signed_axis(rng, a, rank) for a in axes] if version >= 11 else sorted(axes)
    return axes_in_version(rng, version, 13, elements(rng, dims, pick(rng, ANY)), axes)


def axes_in_version(rng, version, since, value, axes):
    if version < since:
        return {"opset": version, "node_attributes": {"axes": axes or None}, "inputs": [value]}
    return {"opset": version, "inputs": [value] + ([np.array(axes, np.int64)] if axes is not None else []), "constants": some(rng, [0, 1], 0.5)}


def transpose(rng):
    dims = shape(rng, 0, 5, 6)
    given = {"perm": [int(a) for a in rng.permutation(len(dims))]} if dims and chance(rng, 0.8) else {}
    return {"opset": opset(rng, "Transpose"), "node_attributes": given, "inputs": [elements(rng, dims, pick(rng, ANY))]}


def concat(rng):
    dims = shape(rng, 1, 4)
    version = opset(rng, "Concat")
    dtype = pick(rng, ANY)
    axis = int(rng.integers(len(dims)))
    parts = [elements(rng, dims[:axis] + [size(rng, 4, 0.1)] + dims[axis + 1:], dtype) for _ in range(int(rng.integers(1, 5)))]
    return {"opset": version, "node_attributes": {"axis": signed_axis(rng, axis, len(dims)) if version >= 11 else axis}, "inputs": parts,
            "constants": some(rng, range(len(parts)), 0.2)}


def split(rng):
    dims = shape(rng, 1, 4, 9, 0.0)
    version = opset(rng, "Split")
    axis = int(rng.integers(len(dims)))
    given = {"axis": signed_axis(rng, axis, len(dims)) if version >= 11 else axis} if axis or chance(rng, 0.5) else {}
    total = dims[axis]
    parts = int(rng.integers(1, total + 1))
    value = elements(rng, dims, pick(rng, ANY))
    made = {"opset": version, "node_attributes": given, "inputs": [value], "outputs": parts, "constants": some(rng, [0, 1], 0.5)}
    if chance(rng, 0.5) or (version < 18 and total % parts):
        cuts = np.sort(rng.integers(0, total + 1, parts - 1))
        lengths = [int(n) for n in np.diff([0, *cuts, total])]
        if version < 13:
            given["split"] = lengths
        else:
            made["inputs"].append(np.array(lengths, np.int64))
    elif version >= 18:
        if -(-total // parts) * (parts - 1) > total:
            made["outputs"] = parts = 1
        given["num_outputs"] = parts
    return made


def slice_(rng):
    dims = shape(rng, 1, 4, 7, 0.03)
    version = opset(rng, "Slice")
    axes = [int(a) for a in rng.permutation(len(dims))[:int(rng.integers(1, len(dims) + 1))]]
    if chance(rng, 0.3):
        axes = list(range(len(axes)))
    starts, ends, steps = [], [], []
    for axis in axes:
        n = dims[axis]
        steps.append(pick(rng, [1, 1, 1, 2, 3, -1, -2, -5]) if version >= 10 else 1)
        starts.append(int(rng.integers(-n - 2, n + 3)))
        ends.append(pick(rng, [2**31 - 1, -2**31]) if chance(rng, 0.2) else int(rng.integers(-n - 2, n + 3)))
    value = elements(rng, dims, pick(rng, ANY))
    if version < 10:
        given = {"starts": starts, "ends": ends, "axes": axes if axes != list(range(len(axes))) or chance(rng, 0.5) else None}
        return {"opset": version, "node_attributes": given, "inputs": [value]}
    kind = pick(rng, ["int32", "int64"])
    inputs = [value, np.array(starts, kind), np.array(ends, kind)]
    named = axes if version < 11 else [signed_axis(rng, a, len(dims)) for a in axes]
    inputs.append(np.array(named, kind) if axes != list(range(len(axes))) or chance(rng, 0.5) else None)
    if any(s != 1 for s in steps) or chance(rng, 0.5):
        inputs.append(np.array(steps, kind))
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": version, "inputs": inputs, "constants": some(rng, range(5), 0.5)}


def pad(rng):
    dims = shape(rng, 1, 4, 6, 0.02)
    version = opset(rng, "Pad")
    mode = pick(rng, ["constant", "constant", "reflect", "edge"] + (["wrap"] if version >= 19 else []))
    dtype = pick(rng, ("float32", "float64", "float16")) if version < 13 and version < 11 else pick(rng, NUMBERS + ("bool",))
    if version < 13:
        dtype = pick(rng, ("float32", "float64", "float16") + (NUMBERS if version >= 11 else ()))
    axes = None
    if version >= 18 and chance(rng, 0.5):
        axes = [int(a) for a in rng.permutation(len(dims))[:int(rng.integers(1, len(dims) + 1))]]
    padded = axes if axes is not None else range(len(dims))
    pads = [[pad_amount(rng, dims[a], mode) for a in padded] for _ in range(2)]
    for i, a in enumerate(padded):
        if dims[a] + pads[0][i] + pads[1][i] < 0:
            pads[0][i] = pads[1][i] = 0
    flat = pads[0] + pads[1]
    value = elements(rng, dims, dtype)
    given = {"mode": mode} if mode != "constant" or chance(rng, 0.5) else {}
    if version < 11:
        return {"opset": version, "node_attributes": {**given, "pads": flat, "value": float(rng.integers(-3, 4)) if chance(rng, 0.5) else None},
                "inputs": [value]}
    inputs = [value, np.array(flat, np.int64), elements(rng, [], dtype) if chance(rng, 0.6) else None]
    if axes is not None:
        inputs.append(np.array([signed_axis(rng, a, len(dims)) for a in axes], "int32" if chance(rng, 0.1) else "int64"))
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": version, "node_attributes": given, "inputs": inputs, "constants": some(rng, range(4), 0.4)}


def pad_amount(rng, n, mode):
    if chance(rng, 0.15 if mode in ("constant", "edge") else 0.03) and n > 1:
        return -int(rng.integers(1, n))
    most = {"constant": 4, "reflect": max(n - 1, 0), "edge": 4 if n else 0, "wrap": n}[mode]
    return int(rng.integers(0, most + 1))


def tile(rng):
    dims = shape(rng, 0, 4, 5, 0.03)
    return {"opset": opset(rng, "Tile"), "inputs": [elements(rng, dims, pick(rng, ANY)),
                                                    np.asarray(integers(rng, [len(dims)], "int64", 0 if chance(rng, 0.1) else 1, 4))],
            "constants": some(rng, [0, 1], 0.4)}


def expand(rng):
    dims = shape(rng, 0, 4, 5, 0.03)
    value, target = alike(rng, dims), alike(rng, dims) if chance(rng, 0.5) else dims
    return {"opset": opset(rng, "Expand"), "inputs": [elements(rng, value, pick(rng, ANY)), np.array(target, np.int64)],
            "constants": some(rng, [0, 1], 0.4)}


def depth_to_space(rng):
    version = opset(rng, "DepthToSpace")
    block = int(rng.integers(1, 4))
    dims = [size(rng, 3, 0.03), block * block * size(rng, 3), size(rng, 4, 0.03), size(rng, 4)]
    given = {"blocksize": block} | ({"mode": pick(rng, ["DCR", "CRD"])} if version >= 11 and chance(rng, 0.8) else {})
    return {"opset": version, "node_attributes": given, "inputs": [elements(rng, dims, pick(rng, NUMBERS))]}


def space_to_depth(rng):
    block = int(rng.integers(1, 4))
    dims = [size(rng, 3, 0.03), size(rng, 3), block * size(rng, 4, 0.03), block * size(rng, 4)]
    return {"opset": opset(rng, "SpaceToDepth"), "node_attributes": {"blocksize": block}, "inputs": [elements(rng, dims, pick(rng, NUMBERS))]}


def shape_of(rng):
    version = opset(rng, "Shape")
    given = {name: int(rng.integers(-6, 7)) for name in ("start", "end") if version >= 15 and chance(rng, 0.5)}
    return {"opset": version, "node_attributes": given, "inputs": [elements(rng, shape(rng, 0, 4, 6, 0.05), pick(rng, ANY))]}


def size_of(rng):
    return {"opset": opset(rng, "Size"), "inputs": [elements(rng, shape(rng, 0, 4, 6, 0.05), pick(rng, ANY))]}


def constant(rng):
    version = opset(rng, "Constant")
    made = {"value": elements(rng, shape(rng, 0, 3), pick(rng, NUMBERS + ("bool",)))}
    if version >= 12 and chance(rng, 0.5):
        made = pick(rng, [{"value_float": 1.5}, {"value_int": -7}, {"value_ints": [3, -1]}, {"value_floats": [0.5, 2.0]}, {"value_string": "a"},
                          {"value_strings": ["b", ""]}])
    return {"opset": version, "node_attributes": made, "inputs": []}


def constant_of_shape(rng):
    given = {"value": elements(rng, [1], pick(rng, NUMBERS + ("bool",)))} if chance(rng, 0.8) else {}
    return {"opset": opset(rng, "ConstantOfShape"), "node_attributes": given, "inputs": [np.array(shape(rng, 0, 4, 5, 0.05), np.int64)],
            "constants": some(rng, [0], 0.3)}


def eye_like(rng):
    types = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "float64": 11, "uint64": 13, "float16": 10}
    given = {"k": int(rng.integers(-6, 7))} if chance(rng, 0.6) else {}
    if chance(rng, 0.5):
        given["dtype"] = types[pick(rng, list(types))]
    return {"opset": opset(rng, "EyeLike"), "node_attributes": given, "inputs": [elements(rng, shape(rng, 2, 2, 6, 0.05), pick(rng, list(types)))]}


def trilu(rng):
    dims = shape(rng, 2, 4, 6, 0.04)
    inputs = [elements(rng, dims, pick(rng, NUMBERS + ("bool",)))] + ([np.array(int(rng.integers(-7, 8)), np.int64)] if chance(rng, 0.7) else [])
    return {"opset": opset(rng, "Trilu"), "node_attributes": {"upper": int(rng.integers(2))} if chance(rng, 0.7) else {}, "inputs": inputs,
            "constants": some(rng, [0, 1])}


def center_crop_pad(rng):
    dims = shape(rng, 1, 4, 7, 0.0)
    axes = axes_of(rng, len(dims), 1) if chance(rng, 0.6) else None
    target = [size(rng, 8) for _ in (axes if axes is not None else dims)]
    return {"opset": opset(rng, "CenterCropPad"), "node_attributes": {"axes": axes}, "constants": some(rng, [0, 1], 0.5),
            "inputs": [elements(rng, dims, pick(rng, NUMBERS + ("bool",))), np.array(target, "int32" if chance(rng, 0.1) else "int64")]}


def range_(rng):
    dtype = pick(rng, ("float32", "float64", "int16", "int32", "int64"))
    start, limit, step = (np.array(rng.uniform(-9, 9), dtype) for _ in range(3))
    if step == 0:
        step = np.array(1, dtype)
    if np.dtype(dtype).kind == "f" and abs(step) < 0.1:
        step = np.array(0.25, dtype)
    return {"opset": opset(rng, "Range"), "inputs": [start, limit, step], "constants": some(rng, range(3), 0.3),
            "tolerance": (1e-5, 1e-4) if dtype == "float32" else None}


CASES = {
    "CenterCropPad": center_crop_pad,
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "DepthToSpace": depth_to_space,
    "Expand": expand,
    "EyeLike": eye_like,
    "Flatten": flatten,
    "Pad": pad,
    "Range": range_,
    "Reshape": reshape,
    "Shape": shape_of,
    "Size": size_of,
    "Slice": slice_,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Trilu": trilu,
    "Unsqueeze": unsqueeze,
}
