"""Operators of domain com.microsoft that ONNX Runtime's CPU provider has, and what it writes in ai.onnx beside the specification."""

import numpy as np

from operators.draw import chance, float_type, floats, integers, pick, shape, size, some

SUMS = {"float32": (5e-4, 5e-5), "float64": (1e-6, 1e-8), "float16": (2e-2, 1e-2)}
# ONNX Runtime sums squares in the type itself and subtracts the mean's square.
NORMS = {"float32": (1e-3, 1e-4), "float64": (1e-4, 1e-4), "float16": (2e-2, 1e-2)}
CURVE = (2e-5, 2e-6)


def wide_floats(rng, dims):
    """Without infinities: ONNX Runtime has NaN where the limit at minus infinity is 0."""
    return floats(rng, dims, "float32", *pick(rng, [(-3, 3), (-10, 10), (-1, 1)]))


def gelu(rng):
    return {"inputs": [wide_floats(rng, shape(rng, 0, 4, 7))], "tolerance": CURVE}


def quick_gelu(rng):
    given = {"alpha": float(rng.uniform(-2, 3))} if chance(rng, 0.6) else {}
    return {"node_attributes": given, "inputs": [wide_floats(rng, shape(rng, 0, 4, 7))], "tolerance": CURVE}


def bias_gelu(rng):
    dims = shape(rng, 1, 4, 9)
    return {"inputs": [floats(rng, dims), floats(rng, dims[-1:])], "constants": some(rng, [1]), "tolerance": CURVE}


def fast_gelu(rng):
    made = bias_gelu(rng)
    if chance(rng, 0.4):
        made["inputs"].pop()
    return made


def fused_conv(rng):
    groups, rank = size(rng, 2), int(rng.integers(1, 4))
    channels, filters = groups * size(rng, 3), groups * size(rng, 4)
    kernel = [size(rng, 3) for _ in range(rank)]
    dilations = [size(rng, 2) for _ in range(rank)]
    strides = [size(rng, 2) for _ in range(rank)]
    pads = [int(rng.integers(3)) for _ in range(2 * rank)]
    image = [(k - 1) * d + size(rng, 5) for k, d in zip(kernel, dilations)]
    given = {"group": groups, "dilations": dilations, "strides": strides, "pads": pads, "kernel_shape": kernel}
    activation, params = pick(rng, [(None, 0), ("Relu", 0), ("Tanh", 0), ("Sigmoid", 0), ("LeakyRelu", 1), ("Clip", 2), ("HardSigmoid", 2)])
    given["activation"] = activation
    if params:
        given["activation_params"] = sorted(float(v) for v in rng.uniform(-1, 1, params))
    batch = size(rng, 2)
    inputs = [floats(rng, [batch, channels] + image), floats(rng, [filters, channels // groups] + kernel, "float32", -1, 1)]
    inputs.append(floats(rng, [filters]) if chance(rng, 0.6) else None)
    if chance(rng, 0.5):
        out = [(n + pads[i] + pads[rank + i] - (k - 1) * d - 1) // s + 1 for i, (n, k, d, s) in enumerate(zip(image, kernel, dilations, strides))]
        inputs.append(floats(rng, [batch, filters] + out))
    return {"node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 2], 0.6), "tolerance": SUMS["float32"]}


GEMM_FUNCTIONS = {"Relu": "", "Sigmoid": "", "Tanh": "", "Softplus": "", "Softsign": "", "Elu": "a", "LeakyRelu": "a", "ThresholdedRelu": "a",
                  "HardSigmoid": "ab", "ScaledTanh": "ab", "ParametricSoftplus": "ab", "Selu": "ag"}


def fused_gemm(rng):
    m, n, k = size(rng, 7), size(rng, 9), size(rng, 8)
    given = {"transA": int(rng.integers(2)), "transB": int(rng.integers(2))}
    given |= {"alpha": float(rng.uniform(-1, 2))} if chance(rng, 0.5) else {}
    given |= {"beta": float(rng.uniform(-1, 2))} if chance(rng, 0.5) else {}
    given["activation"] = pick(rng, sorted(GEMM_FUNCTIONS))
    for letter in GEMM_FUNCTIONS[given["activation"]]:
        given["activation_" + {"a": "alpha", "b": "beta", "g": "gamma"}[letter]] = float(rng.uniform(0.1, 2))
    inputs = [floats(rng, [k, m] if given["transA"] else [m, k], "float32", -1, 1), floats(rng, [n, k] if given["transB"] else [k, n], "float32", -1, 1)]
    if chance(rng, 0.7):
        inputs.append(floats(rng, pick(rng, [[m, n], [n], [1, n], [m, 1], [1], []])))
    return {"node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 2]), "tolerance": SUMS["float32"]}


def stored(dims, batch, rows, columns, inside, transposed):
    """The shape in which a stack of matrices lies."""
    first, last = (columns, rows) if transposed else (rows, columns)
    return [first] + batch + [last] if inside else dims + [first, last]


def fused_matmul(rng):
    dtype = pick(rng, ["float32", "float32", "float64"])
    m, n, k = size(rng, 6), size(rng, 6), size(rng, 6)
    inside = (chance(rng, 0.25), chance(rng, 0.25))
    transposed = (chance(rng, 0.5), chance(rng, 0.5))
    batch = [size(rng, 3) for _ in range(int(rng.integers(1 if any(inside) else 0, 3)))]
    if any(inside):
        left = right = batch
    else:
        left, right = ([1 if chance(rng, 0.2) else d for d in batch][int(rng.integers(len(batch) + 1)) if chance(rng, 0.4) else 0:] for _ in range(2))
    given = {name: int(value) for name, value in zip(("transBatchA", "transBatchB", "transA", "transB"), inside + transposed)}
    given |= {"alpha": float(rng.uniform(-2, 2))} if chance(rng, 0.6) else {}
    inputs = [floats(rng, stored(left, batch, m, k, inside[0], transposed[0]), dtype, -1, 1),
              floats(rng, stored(right, batch, k, n, inside[1], transposed[1]), dtype, -1, 1)]
    if not any(inside) and chance(rng, 0.1):
        inputs[0] = floats(rng, [k], dtype, -1, 1)
    return {"node_attributes": given, "inputs": inputs, "constants": some(rng, [1], 0.5), "tolerance": SUMS[dtype]}


def epsilon(rng):
    return {"epsilon": float(10 ** rng.uniform(-6, -2))} if chance(rng, 0.8) else {}


def skip_norm(rng, beta):
    dtype = pick(rng, ["float32", "float32", "float16"])
    rank = pick(rng, [2, 3, 3])
    dims = [size(rng, 4) for _ in range(rank - 1)] + [int(rng.integers(3, 13))]
    skip = pick(rng, [dims, dims, dims[-2:], [1] + dims[1:]]) if rank == 3 else dims
    inputs = [floats(rng, dims, dtype), floats(rng, skip, dtype), floats(rng, dims[-1:], dtype)]
    if beta:
        inputs.append(floats(rng, dims[-1:], dtype) if chance(rng, 0.6) else None)
    inputs.append(floats(rng, dims[-1:], dtype) if chance(rng, 0.5) else None)
    while inputs[-1] is None:
        inputs.pop()
    outputs = pick(rng, [1, 4, 4])
    left_out = [i for i in (1, 2, 3) if outputs == 4 and chance(rng, 0.4)]
    return {"node_attributes": epsilon(rng), "inputs": inputs, "outputs": outputs, "left_out": left_out, "tolerance": NORMS[dtype],
            "constants": some(rng, range(2, len(inputs)))}


def skip_layer_normalization(rng):
    return skip_norm(rng, True)


def skip_simplified_layer_normalization(rng):
    return skip_norm(rng, False)


def simplified_layer_normalization(rng):
    dtype = float_type(rng)
    dims = [size(rng, 5) for _ in range(int(rng.integers(1, 4)))] + [int(rng.integers(3, 13))]
    axis = pick(rng, [-1, -1, len(dims) - 1, 0])
    outputs = pick(rng, [1, 2])
    return {"opset": int(rng.integers(7, 22)), "node_attributes": epsilon(rng) | {"axis": axis}, "outputs": outputs, "tolerance": NORMS[dtype],
            "inputs": [floats(rng, dims, dtype), floats(rng, dims[axis:], dtype)], "constants": some(rng, [1])}


def embed_layer_normalization(rng):
    batch, length, width = size(rng, 3), size(rng, 5), int(rng.integers(3, 10))
    words, places, segments = size(rng, 9), length + size(rng, 3), size(rng, 3)

    def ids(rows, first=batch):
        return integers(rng, [first, length], "int32", 0, rows - 1)

    has_segments = chance(rng, 0.7)
    inputs = [ids(words), ids(segments) if has_segments else None, floats(rng, [words, width]), floats(rng, [places, width]),
              floats(rng, [segments, width]) if has_segments else None, floats(rng, [width]), floats(rng, [width])]
    inputs.append(ids(3) if chance(rng, 0.5) else None)
    inputs.append(ids(places, pick(rng, [batch, 1])) if chance(rng, 0.4) else None)
    while inputs[-1] is None:
        inputs.pop()
    return {"node_attributes": epsilon(rng), "inputs": inputs, "outputs": pick(rng, [2, 3]), "tolerance": NORMS["float32"],
            "constants": some(rng, [2, 3, 4, 5, 6])}


def pad(rng):
    dims = shape(rng, 1, 4, 5, 0.0)
    mode = pick(rng, ["constant", "reflect", "edge"])
    pads = [int(rng.integers(0 if mode == "reflect" else -1, n if mode == "reflect" else 3)) for n in dims + dims]
    pads = [max(p, -((n - 1) // 2)) for p, n in zip(pads, dims + dims)]
    pads = np.array(pads, "int64")
    inputs = [floats(rng, dims), pads.reshape(1, -1) if chance(rng, 0.3) else pads]
    if mode == "constant" and chance(rng, 0.6):
        inputs.append(floats(rng, pick(rng, [[], [1]])))
    return {"node_attributes": {"mode": mode}, "inputs": inputs, "constants": some(rng, [1, 2], 0.5)}


def number_range(rng):
    dtype = pick(rng, ["float32", "float64", "int16", "int32", "int64"])
    delta = rng.uniform(0.2, 3) if dtype.startswith("float") else int(rng.integers(1, 5))
    sign = pick(rng, [1, 1, -1])
    start = rng.uniform(-5, 5)
    values = [start, start + sign * delta * rng.uniform(-1, 12), sign * delta]
    if chance(rng, 0.3):
        values = [start, start + rng.uniform(-1, 9)]
    inputs = [np.array(value).astype(dtype).reshape(pick(rng, [(), (1,)])) for value in values]
    return {"inputs": inputs, "constants": some(rng, range(len(inputs)), 0.5), "tolerance": (1e-5, 1e-5) if dtype.startswith("float") else None}


def trilu(rng):
    dtype = pick(rng, ["float32", "float64", "int64"])
    dims = shape(rng, 2, 4, 6)
    given = {"upper": int(rng.integers(2))} if chance(rng, 0.7) else {}
    values = integers(rng, dims) if dtype == "int64" else floats(rng, dims, dtype)
    return {"node_attributes": given, "inputs": [values] + ([np.array(int(rng.integers(-8, 9)))] if chance(rng, 0.7) else []), "constants": some(rng, [1])}


def inverse(rng):
    dtype = float_type(rng)
    n = size(rng, 7)
    values = floats(rng, [size(rng, 3) for _ in range(int(rng.integers(0, 3)))] + [n, n], dtype, -1, 1)
    values = (values + rng.permutation(np.eye(n) * (n + 1))).astype(dtype) if chance(rng, 0.3) else (values + np.eye(n) * (n + 1)).astype(dtype)
    return {"inputs": [values], "tolerance": {"float32": (2e-4, 2e-5), "float64": (1e-9, 1e-10), "float16": (5e-2, 1e-2)}[dtype]}


def crop_and_resize(rng):
    batch, boxes = size(rng, 3), size(rng, 4)
    given = {"mode": pick(rng, ["bilinear", "nearest"])} if chance(rng, 0.7) else {}
    given |= {"extrapolation_value": float(rng.uniform(-5, 5))} if chance(rng, 0.5) else {}
    low, high = pick(rng, [(0, 1), (-0.3, 1.3)])
    inputs = [floats(rng, [batch, size(rng, 3), size(rng, 7), size(rng, 7)]), floats(rng, [boxes, 4], "float32", low, high),
              integers(rng, [boxes], "int32", 0, batch - 1), integers(rng, [2], "int32", 1, 6)]
    return {"node_attributes": given, "inputs": inputs, "constants": some(rng, [3], 0.5), "tolerance": SUMS["float32"]}


def grid_sample(rng):
    batch = size(rng, 2)
    given = {"mode": pick(rng, ["bilinear", "nearest", "bicubic"]), "padding_mode": pick(rng, ["zeros", "border", "reflection"]),
             "align_corners": int(rng.integers(2))}
    inputs = [floats(rng, [batch, size(rng, 3), size(rng, 6), size(rng, 6)]), floats(rng, [batch, size(rng, 5), size(rng, 5), 2], "float32", -1.4, 1.4)]
    return {"node_attributes": {key: value for key, value in given.items() if chance(rng, 0.8)}, "inputs": inputs, "tolerance": SUMS["float32"]}


CASES = {
    "SimplifiedLayerNormalization": simplified_layer_normalization,
    "com.microsoft.BiasGelu": bias_gelu,
    "com.microsoft.CropAndResize": crop_and_resize,
    "com.microsoft.EmbedLayerNormalization": embed_layer_normalization,
    "com.microsoft.FastGelu": fast_gelu,
    "com.microsoft.FusedConv": fused_conv,
    "com.microsoft.FusedGemm": fused_gemm,
    "com.microsoft.FusedMatMul": fused_matmul,
    "com.microsoft.Gelu": gelu,
    "com.microsoft.GridSample": grid_sample,
    "com.microsoft.Inverse": inverse,
    "com.microsoft.Pad": pad,
    "com.microsoft.QuickGelu": quick_gelu,
    "com.microsoft.Range": number_range,
    "com.microsoft.SkipLayerNormalization": skip_layer_normalization,
    "com.microsoft.SkipSimplifiedLayerNormalization": skip_simplified_layer_normalization,
    "com.microsoft.Trilu": trilu,
}
