"""Convolutions and pools."""

import numpy as np

from operators.draw import chance, elements, floats, integers, opset, pick, shape, size, some

CONV = {"float32": (5e-5, 5e-4), "float16": (1e-2, 1e-1), "float64": (1e-9, 1e-9)}
AUTO = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


class Window:
    """Sizes, kernel, strides, dilations and pads that fit."""

    def __init__(self, rng, rank=None, dilated=True, auto=AUTO):
        self.rank = rank or pick(rng, [1, 2, 2, 2, 3])
        most = {1: 12, 2: 9, 3: 6}[self.rank]
        most += 12 if self.rank < 3 and chance(rng, 0.1) else 0
        self.kernel = [3 if chance(rng, 0.2) else int(rng.integers(1, 5)) for _ in range(self.rank)]
        self.strides = [int(rng.integers(1, 4)) for _ in range(self.rank)]
        self.dilations = [int(rng.integers(1, 4)) if dilated and chance(rng, 0.3) else 1 for _ in range(self.rank)]
        self.auto = pick(rng, auto) if chance(rng, 0.3) else None
        self.extent = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations)]
        self.pads = [[int(rng.integers(0, min(k, 4))) for k in self.kernel] for _ in range(2)]
        if self.auto not in (None, "NOTSET"):
            self.pads = [[0] * self.rank] * 2
        self.sizes = [max(int(rng.integers(1, most + 1)), e - a - b, 1) for e, a, b in zip(self.extent, *self.pads)]

    def attributes(self, rng):
        given = {"kernel_shape": self.kernel}
        if any(s != 1 for s in self.strides) or chance(rng, 0.3):
            given["strides"] = self.strides
        if any(d != 1 for d in self.dilations):
            given["dilations"] = self.dilations
        if self.auto:
            given["auto_pad"] = self.auto
        if self.auto in (None, "NOTSET") and any(self.pads[0] + self.pads[1]):
            given["pads"] = self.pads[0] + self.pads[1]
        return given


def groups_of(rng):
    """(groups, input channels of a group, output channels of a group)"""
    if chance(rng, 0.25):
        return int(rng.integers(1, 9 if chance(rng, 0.7) else 40)), 1, pick(rng, [1, 1, 2])
    if chance(rng, 0.12):
        return pick(rng, [1, 1, 2]), pick(rng, [8, 16, 3, 24]), pick(rng, [8, 16, 5, 32])
    return pick(rng, [1, 1, 1, 2, 3]), size(rng, 4), size(rng, 4)


def conv(rng):
    window = Window(rng)
    groups, ins, outs = groups_of(rng)
    dtype = pick(rng, ("float32",) * 5 + ("float64", "float16"))
    given = window.attributes(rng) | ({"group": groups} if groups != 1 or chance(rng, 0.3) else {})
    if chance(rng, 0.2):
        del given["kernel_shape"]
    inputs = [elements(rng, [size(rng, 3, 0.03), groups * ins] + window.sizes, dtype), elements(rng, [groups * outs, ins] + window.kernel, dtype)]
    if chance(rng, 0.6):
        inputs.append(elements(rng, [groups * outs], dtype))
    return {"opset": opset(rng, "Conv"), "node_attributes": given, "inputs": inputs, "constants": some(rng, range(3), 0.5), "tolerance": CONV[dtype]}


def conv_transpose(rng):
    window = Window(rng)
    groups, ins, outs = groups_of(rng)
    dtype = pick(rng, ("float32",) * 5 + ("float64", "float16"))
    window.pads = [[min(p, (e - 1) // 2) for p, e in zip(row, window.extent)] for row in window.pads]
    given = window.attributes(rng) | ({"group": groups} if groups != 1 or chance(rng, 0.3) else {})
    if chance(rng, 0.3):
        given["output_padding"] = [int(rng.integers(0, s)) for s in window.strides]
    elif chance(rng, 0.2):
        given["output_shape"] = [(n - 1) * s + e - int(rng.integers(0, e)) for n, s, e in zip(window.sizes, window.strides, window.extent)]
        given.pop("pads", None)
    inputs = [elements(rng, [size(rng, 3, 0.03), groups * ins] + window.sizes, dtype), elements(rng, [groups * ins, outs] + window.kernel, dtype)]
    if chance(rng, 0.6):
        inputs.append(elements(rng, [groups * outs], dtype))
    return {"opset": opset(rng, "ConvTranspose"), "node_attributes": given, "inputs": inputs, "constants": some(rng, range(3), 0.5),
            "tolerance": CONV[dtype]}


def conv_integer(rng):
    window = Window(rng)
    groups, ins, outs = groups_of(rng)
    given = window.attributes(rng) | ({"group": groups} if groups != 1 else {})
    types = pick(rng, [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
    inputs = [integers(rng, [size(rng, 3), groups * ins] + window.sizes, types[0], -128, 255),
              integers(rng, [groups * outs, ins] + window.kernel, types[1], -128, 255),
              integers(rng, [], types[0], 0, 120) if chance(rng, 0.7) else None,
              integers(rng, [groups * outs] if chance(rng, 0.1) else [], types[1], 0, 120) if chance(rng, 0.5) else None]
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "ConvInteger"), "node_attributes": given, "inputs": inputs, "constants": some(rng, range(4), 0.5)}


def deform_conv(rng):
    window = Window(rng, 2, auto=("NOTSET",))
    groups, ins, outs = groups_of(rng)
    offset_groups = pick(rng, [n for n in range(1, groups * ins + 1) if groups * ins % n == 0])
    dtype = pick(rng, ("float32", "float32", "float64"))
    out = [(n + a + b - e) // s + 1 for n, a, b, e, s in zip(window.sizes, *window.pads, window.extent, window.strides)]
    batch, area = size(rng, 2), int(np.prod(window.kernel))
    given = window.attributes(rng) | {"group": groups, "offset_group": offset_groups}
    given.pop("auto_pad", None)
    inputs = [elements(rng, [batch, groups * ins] + window.sizes, dtype), elements(rng, [groups * outs, ins] + window.kernel, dtype),
              floats(rng, [batch, offset_groups * area * 2] + out, dtype, -2, 2), elements(rng, [groups * outs], dtype) if chance(rng, 0.5) else None,
              floats(rng, [batch, offset_groups * area] + out, dtype, 0, 1) if chance(rng, 0.5) else None]
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "DeformConv"), "node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 3], 0.3),
            "tolerance": (2e-4, 2e-4)}


def col2im(rng):
    rank = pick(rng, [1, 2, 2, 3])
    window = Window(rng, rank, auto=("NOTSET",))
    blocks = [(n + a + b - e) // s + 1 for n, a, b, e, s in zip(window.sizes, *window.pads, window.extent, window.strides)]
    given = {"strides": window.strides, "dilations": window.dilations, "pads": window.pads[0] + window.pads[1]}
    given = {name: value for name, value in given.items() if chance(rng, 0.8) or any(v != (0 if name == "pads" else 1) for v in value)}
    dims = [size(rng, 2), size(rng, 3) * int(np.prod(window.kernel)), int(np.prod(blocks))]
    return {"opset": opset(rng, "Col2Im"), "node_attributes": given, "constants": some(rng, range(3), 0.4), "tolerance": (1e-5, 1e-5),
            "inputs": [floats(rng, dims, "float32"), np.array(window.sizes, np.int64), np.array(window.kernel, np.int64)]}


def pool(op_type):
    def generate(rng):
        version = opset(rng, op_type)
        dilates = {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}[op_type] <= version
        ceils = {"MaxPool": 10, "AveragePool": 10, "LpPool": 18}[op_type] <= version
        window = Window(rng, dilated=dilates)
        window.pads = [[min(p, k - 1) for p, k in zip(row, window.kernel)] for row in window.pads]
        window.sizes = [max(n, e - a - b) for n, e, a, b in zip(window.sizes, window.extent, *window.pads)]
        given = window.attributes(rng)
        if ceils and chance(rng, 0.4):
            given["ceil_mode"] = 1
        if op_type == "AveragePool" and chance(rng, 0.5):
            given["count_include_pad"] = int(rng.integers(2))
        if op_type == "LpPool" and chance(rng, 0.7):
            given["p"] = int(rng.integers(1, 4))
        dtype = pick(rng, ("float32",) * 4 + ("float64", "float16") + (("int8", "uint8") if op_type == "MaxPool" and version >= 12 else ()))
        made = {"opset": version, "node_attributes": given, "inputs": [elements(rng, [size(rng, 3, 0.03), size(rng, 4)] + window.sizes, dtype)],
                "tolerance": (2e-5, 2e-5) if dtype == "float32" else None}
        if op_type == "MaxPool" and version >= 8 and chance(rng, 0.5):
            made["outputs"] = 2
            if chance(rng, 0.4):
                given["storage_order"] = int(rng.integers(2))
        return made
    return generate


def global_pool(op_type):
    def generate(rng):
        dtype = pick(rng, ("float32",) * 3 + ("float64", "float16"))
        given = {"p": int(rng.integers(1, 4))} if op_type == "GlobalLpPool" and chance(rng, 0.7) else {}
        return {"opset": opset(rng, op_type), "node_attributes": given,
                "inputs": [elements(rng, [size(rng, 3), size(rng, 4)] + shape(rng, 1, 3, 7, 0.0), dtype)],
                "tolerance": (2e-5, 2e-5) if dtype == "float32" else None}
    return generate


def max_unpool(rng):
    rank = pick(rng, [1, 2, 2, 3])
    window = Window(rng, rank, dilated=False, auto=("NOTSET",))
    window.auto, window.strides = None, window.kernel if chance(rng, 0.7) else window.strides
    window.pads = [[min(p, k - 1) for p, k in zip(row, window.kernel)] for row in window.pads]
    pooled = [size(rng, 4) for _ in range(rank)]
    out = [(n - 1) * s - a - b + k for n, s, a, b, k in zip(pooled, window.strides, *window.pads, window.kernel)]
    if min(out) < 1:
        window.pads, out = [[0] * rank] * 2, [(n - 1) * s + k for n, s, k in zip(pooled, window.strides, window.kernel)]
    dims = [size(rng, 2), size(rng, 3)] + pooled
    planes, area, count = dims[0] * dims[1], int(np.prod(out)), int(np.prod(pooled))
    if count > area:
        window.kernel, window.strides, window.pads, out, area = [2] * rank, [2] * rank, [[0] * rank] * 2, [2 * n for n in pooled], 2**rank * count
    where = np.stack([rng.permutation(area)[:count] + area * plane for plane in range(planes)]).reshape(dims)
    inputs = [floats(rng, dims), where.astype(np.int64)]
    if chance(rng, 0.3):
        inputs.append(np.array(dims[:2] + [n + int(rng.integers(0, 2)) for n in out], np.int64))
    return {"opset": opset(rng, "MaxUnpool"), "node_attributes": window.attributes(rng), "inputs": inputs, "constants": some(rng, [2])}


CASES = {
    "AveragePool": pool("AveragePool"),
    "Col2Im": col2im,
    "Conv": conv,
    "ConvInteger": conv_integer,
    "ConvTranspose": conv_transpose,
    "DeformConv": deform_conv,
    "GlobalAveragePool": global_pool("GlobalAveragePool"),
    "GlobalLpPool": global_pool("GlobalLpPool"),
    "GlobalMaxPool": global_pool("GlobalMaxPool"),
    "LpPool": pool("LpPool"),
    "MaxPool": pool("MaxPool"),
    "MaxUnpool": max_unpool,
}
