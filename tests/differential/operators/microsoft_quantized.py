"""Quantised operators of com.microsoft.

Each generator gives one case: generate(rng) -> dict(node_attributes, inputs, outputs, constants, tolerance). Tensors of bytes carry one
scale and zero point; what is compared is the byte, so (0, 1) allows for a tie that ONNX Runtime's own order of operations breaks
differently.
"""

import ml_dtypes
import numpy as np

BYTES = ("uint8", "int8")
ROUNDING = (0, 1)


def chance(rng, probability):
    return bool(rng.random() < probability)


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


def size(rng, most=6):
    return int(rng.integers(1, most + 1))


def dims(rng, low, high, most=6):
    return [size(rng, most) for _ in range(int(rng.integers(low, high + 1)))]


def some(rng, indexes, probability=0.5):
    return [i for i in indexes if chance(rng, probability)]


def integers(rng, shape, dtype):
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True))


def scale(rng, low=0.005, high=0.1, exact=0.3):
    """One float; sometimes a power of two, for which ties are real."""
    value = 2.0 ** int(rng.integers(-6, 0)) if chance(rng, exact) else rng.uniform(low, high)
    return np.full(pick(rng, ([], [], [1])), value, np.float32)


def zero_point(rng, dtype):
    info = np.iinfo(dtype)
    return np.full(pick(rng, ([], [], [1])), int(rng.integers(info.min // 2, info.max // 2 + 1)), dtype)


def scaled(rng, dtype, may_lack=0.15):
    """Scale and zero point; the latter may be left out."""
    return [scale(rng), None if chance(rng, may_lack) else zero_point(rng, dtype)]


def scalars(rng, dtype):
    """Where ONNX Runtime's inference takes scalars alone, zero points included."""
    return [value.reshape([]) for value in scaled(rng, dtype, 0)]


def case(inputs, attributes=None, constants=(), tolerance=ROUNDING):
    return {"node_attributes": attributes or {}, "inputs": inputs, "outputs": 1, "constants": list(constants), "tolerance": tolerance}


def broadcasting(rng):
    full = dims(rng, 0, 4, 9)

    def alike():
        kept = [1 if chance(rng, 0.25) else n for n in full]
        return kept[int(rng.integers(0, len(kept) + 1)) if chance(rng, 0.3) else 0:]

    return [alike() if chance(rng, 0.6) else list(full) for _ in range(3)]


def binary(rng):
    dtype, shapes = pick(rng, BYTES), broadcasting(rng)
    inputs = [integers(rng, shapes[0], dtype), *scalars(rng, dtype), integers(rng, shapes[1], dtype), *scalars(rng, dtype), *scalars(rng, dtype)]
    return case(inputs, constants=some(rng, range(8)))


def unary(rng):
    dtype = pick(rng, BYTES)
    return [integers(rng, dims(rng, 0, 4, 12), dtype), *scaled(rng, dtype), *scaled(rng, dtype)]


def sigmoid(rng):
    return case(unary(rng), constants=some(rng, range(1, 5)))


def leaky_relu(rng):
    return case(unary(rng), {"alpha": float(rng.uniform(-0.5, 1.5))} if chance(rng, 0.8) else {}, some(rng, range(1, 5)))


def concat(rng):
    dtype, shape = pick(rng, BYTES), dims(rng, 1, 4, 5)
    axis = int(rng.integers(len(shape)))
    inputs = [scale(rng), zero_point(rng, dtype)]
    for _ in range(size(rng, 4)):
        part = list(shape)
        part[axis] = size(rng, 5)
        inputs += [integers(rng, part, dtype), *(inputs[:2] if chance(rng, 0.2) else (scale(rng), zero_point(rng, dtype)))]
    return case(inputs, {"axis": axis - len(shape) if chance(rng, 0.3) else axis}, some(rng, range(len(inputs))))


def where(rng):
    dtype, shapes = pick(rng, BYTES), broadcasting(rng)
    condition = np.asarray(rng.random(shapes[2]) < 0.5)
    scales = [[scale(rng), zero_point(rng, dtype)] for _ in range(3)]
    if chance(rng, 0.2):
        scales[0] = scales[2]
    constants = [2, 3, 5, 6, 7, 8] if chance(rng, 0.5) else some(rng, (2, 3, 5, 6))  # ONNX Runtime takes a constant result scale with constant others alone
    return case([condition, integers(rng, shapes[0], dtype), *scales[0], integers(rng, shapes[1], dtype), *scales[1], *scales[2]], constants=constants)


class Window:
    """Attributes of a sliding window and sizes that it fits."""

    def __init__(self, rng, dilates=True):
        rank = int(rng.integers(1, 4))
        self.kernel = [size(rng, 4 if rank < 3 else 3) for _ in range(rank)]
        self.strides = [size(rng, 3) for _ in range(rank)] if chance(rng, 0.6) else None
        self.dilations = [size(rng, 2) for _ in range(rank)] if dilates and chance(rng, 0.3) else None
        dilations = self.dilations or [1] * rank
        extents = [(k - 1) * d + 1 for k, d in zip(self.kernel, dilations)]
        self.sizes = [e + int(rng.integers(0, 7)) for e in extents]
        self.auto_pad = pick(rng, ("SAME_UPPER", "SAME_LOWER", "VALID")) if self.dilations is None and chance(rng, 0.25) else None
        if self.auto_pad and self.strides:  # ONNX Runtime pads by less than nothing where a stride skips inputs
            self.strides = [min(s, k) for s, k in zip(self.strides, self.kernel)]
        self.pads = None
        if self.auto_pad is None and chance(rng, 0.6):
            self.pads = [int(rng.integers(0, k)) for k in self.kernel * 2]

    def attributes(self):
        given = {"kernel_shape": self.kernel, "strides": self.strides, "dilations": self.dilations, "pads": self.pads, "auto_pad": self.auto_pad}
        return {name: value for name, value in given.items() if value is not None}


def image(rng, window, channels, channels_last):
    batch = size(rng, 3)
    return [batch] + window.sizes + [channels] if channels_last else [batch, channels] + window.sizes


def average_pool(rng):
    dtype, window, last = pick(rng, BYTES), Window(rng, dilates=False), chance(rng, 0.5)
    given = window.attributes() | {"channels_last": int(last)}
    if chance(rng, 0.4):
        given["count_include_pad"] = 1
    if window.auto_pad is None and chance(rng, 0.3):
        given["ceil_mode"] = 1
    return case([integers(rng, image(rng, window, size(rng, 20), last), dtype), *scalars(rng, dtype), *scalars(rng, dtype)], given, some(rng, range(1, 5)))


def global_average_pool(rng):
    dtype, last = pick(rng, BYTES), chance(rng, 0.5)
    inputs = [integers(rng, [size(rng, 3)] + dims(rng, 2, 4, 12), dtype), scale(rng), zero_point(rng, dtype), scale(rng), zero_point(rng, dtype)]
    return case(inputs, {"channels_last": int(last)}, some(rng, range(1, 5)))


def nhwc_max_pool(rng):
    window = Window(rng)
    given = window.attributes()
    if window.auto_pad is None and chance(rng, 0.3):
        given["ceil_mode"] = 1
    return case([integers(rng, image(rng, window, size(rng, 40), True), pick(rng, BYTES))], given, tolerance=(0, 0))


def softmax(rng):
    """The result's scale is what quantisers write: 1/256, the zero point that of probability 0 (int8: probabilities up to 1/2 fit ONNX Runtime's saturation)."""
    dtype, shape = pick(rng, BYTES), dims(rng, 1, 4, 9)
    opset = pick(rng, (11, 12, 13, 15))
    axis = int(rng.integers(len(shape)))
    y_zero = np.array(-128 if dtype == "int8" else 0, dtype)
    given = {"opset": opset, "axis": axis - len(shape) if chance(rng, 0.3) else axis}
    return case([integers(rng, shape, dtype), scale(rng), zero_point(rng, dtype), np.float32(1 / 256), y_zero], given, some(rng, range(1, 5)))


def byte_pair(rng):
    return pick(rng, (("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")))


def column_scale(rng, shape, low=0.005, high=0.1):
    return rng.uniform(low, high, shape).astype(np.float32)


def column_zero(rng, shape, dtype):
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min // 2, info.max // 2 + 1, shape), dtype)


def per_column(matrices):
    """The shape of scales for each column: a vector for one matrix, a row for each of several."""
    return matrices[-1:] if len(matrices) == 2 else matrices[:-2] + [1, matrices[-1]]


def qgemm(rng):
    a, b = byte_pair(rng)
    m, n, k = size(rng, 40), size(rng, 40), size(rng, 70)
    turned_a, turned_b, each = chance(rng, 0.4), chance(rng, 0.4), chance(rng, 0.4)
    left, right = ([k, m] if turned_a else [m, k]), ([n, k] if turned_b else [k, n])
    inputs = [integers(rng, left, a), scale(rng), zero_point(rng, a), integers(rng, right, b)]
    inputs += [column_scale(rng, [n]), column_zero(rng, [n], b)] if each else [np.float32(rng.uniform(0.005, 0.1)), np.asarray(zero_point(rng, b)).reshape([])]
    addend = pick(rng, (None, [n], [1, n], [m, 1], [m, n], [1]))
    inputs.append(None if addend is None else np.asarray(rng.integers(-5000, 5000, addend), np.int32))
    quantises = chance(rng, 0.7)
    if quantises:
        inputs += [np.float32(rng.uniform(0.05, 2)), zero_point(rng, a)]
    given = {"transA": int(turned_a), "transB": int(turned_b), "alpha": float(rng.uniform(0.5, 2))}
    return case(inputs, given, some(rng, range(9)), ROUNDING if quantises else (1e-5, 1e-3))


def product_shapes(rng):
    m, n, k = size(rng, 40), size(rng, 40), size(rng, 70)
    batch = dims(rng, 0, 2, 3)
    return batch + [m, k], ([k, n] if chance(rng, 0.6) else batch + [k, n]), n


def integer_to_float(rng):
    (a, b), (left, right, n) = byte_pair(rng), product_shapes(rng)
    each = chance(rng, 0.4)
    inputs = [integers(rng, left, a), integers(rng, right, b), scale(rng), column_scale(rng, per_column(right)) if each else scale(rng)]
    inputs.append(zero_point(rng, a) if chance(rng, 0.8) else None)
    inputs.append((column_zero(rng, per_column(right), b) if each else zero_point(rng, b)) if chance(rng, 0.8) else None)
    inputs.append(rng.uniform(-5, 5, [n]).astype(np.float32) if chance(rng, 0.6) else None)
    return case(inputs, constants=some(rng, range(7)), tolerance=(1e-5, 1e-4))


def dynamic_matmul(rng):
    left, right, n = product_shapes(rng)
    b, each = pick(rng, BYTES), chance(rng, 0.4)
    low, high = pick(rng, ((-3, 3), (0, 5), (-7, -1)))
    inputs = [rng.uniform(low, high, left).astype(np.float32), integers(rng, right, b), column_scale(rng, per_column(right)) if each else scale(rng)]
    inputs.append((column_zero(rng, per_column(right), b) if each else zero_point(rng, b)) if chance(rng, 0.8) else None)
    inputs.append(rng.uniform(-5, 5, [n]).astype(np.float32) if chance(rng, 0.6) else None)
    return case(inputs, constants=some(rng, range(1, 5)), tolerance=(1e-4, 2e-2))


def matmul_integer16(rng):
    left, right, _ = product_shapes(rng)
    return case([integers(rng, left, "int16"), integers(rng, right, "int16")], constants=some(rng, (0, 1)), tolerance=(0, 0))


def conv(rng):
    (x, w), window, last = byte_pair(rng), Window(rng), chance(rng, 0.6)
    groups, ins, outs = pick(rng, ((1, size(rng, 20), size(rng, 20)), (size(rng, 4), size(rng, 3), size(rng, 3)), (size(rng, 20), 1, 1)))
    each = chance(rng, 0.4)
    inputs = [integers(rng, image(rng, window, groups * ins, last), x), scale(rng), zero_point(rng, x), integers(rng, [groups * outs, ins] + window.kernel, w)]
    inputs += [column_scale(rng, [groups * outs]) if each else scale(rng), np.full(pick(rng, ([], [1])), int(rng.integers(0, 20)) if w == "uint8" else 0, w)]
    inputs += [np.float32(rng.uniform(0.05, 1)), zero_point(rng, x)]
    if chance(rng, 0.5):
        inputs.append(np.asarray(rng.integers(-5000, 5000, [groups * outs]), np.int32))
    return case(inputs, window.attributes() | {"group": groups, "channels_last": int(last)}, [1, 2, 4, 5, 6, 7] + some(rng, (3, 8)))


SMALL = {"int4": (ml_dtypes.int4, -8, 7), "uint4": (ml_dtypes.uint4, 0, 15)}
WIDE = ("int8", "uint8", "int16", "uint16")


def numbers(rng, shape, dtype):
    if dtype in SMALL:
        kind, low, high = SMALL[dtype]
        return np.asarray(rng.integers(low, high + 1, shape)).astype(kind)
    return integers(rng, shape, dtype)


def granularity(rng):
    """(shape, shape of the scale, attributes)."""
    shape = dims(rng, 1, 4)
    if chance(rng, 0.5):
        return shape, pick(rng, ([], [1])), {}
    axis = int(rng.integers(len(shape)))
    return shape, [shape[axis]], {"axis": axis - len(shape) if chance(rng, 0.4) else axis}


def quantize_linear(rng):
    shape, per, given = granularity(rng)
    dtype = pick(rng, WIDE + tuple(SMALL))
    inputs = [rng.uniform(-9, 9, shape).astype(np.float32), rng.uniform(0.01, 0.3, per).astype(np.float32), numbers(rng, per, dtype)]
    if chance(rng, 0.3):
        inputs[:2] = [(np.round(inputs[0] * 4) / 4).astype(np.float32), np.full(per, 0.5, np.float32)]
    if dtype == "uint8" and chance(rng, 0.3):
        inputs.pop()
    made = case(inputs, given, [2] if dtype in SMALL and len(inputs) > 2 else some(rng, (1, 2)), (0, 0))
    return made | {"wide": [0] if dtype in SMALL else []}


def dequantize_linear(rng):
    shape, per, given = granularity(rng)
    dtype = pick(rng, WIDE + tuple(SMALL) + ("int32",))
    inputs = [numbers(rng, shape, dtype), rng.uniform(0.01, 0.3, per).astype(np.float32)]
    if dtype != "int32" and chance(rng, 0.8):
        inputs.append(numbers(rng, per, dtype))
    return case(inputs, given, [0, 2] if dtype in SMALL else some(rng, (1, 2)), (1e-6, 1e-6))


CASES = {
    "com.microsoft.DequantizeLinear": dequantize_linear,
    "com.microsoft.DynamicQuantizeMatMul": dynamic_matmul,
    "com.microsoft.MatMulInteger16": matmul_integer16,
    "com.microsoft.MatMulIntegerToFloat": integer_to_float,
    "com.microsoft.NhwcMaxPool": nhwc_max_pool,
    "com.microsoft.QGemm": qgemm,
    "com.microsoft.QLinearAdd": binary,
    "com.microsoft.QLinearAveragePool": average_pool,
    "com.microsoft.QLinearConcat": concat,
    "com.microsoft.QLinearConv": conv,
    "com.microsoft.QLinearGlobalAveragePool": global_average_pool,
    "com.microsoft.QLinearLeakyRelu": leaky_relu,
    "com.microsoft.QLinearMul": binary,
    "com.microsoft.QLinearSigmoid": sigmoid,
    "com.microsoft.QLinearSoftmax": softmax,
    "com.microsoft.QLinearWhere": where,
    "com.microsoft.QuantizeLinear": quantize_linear,
}
