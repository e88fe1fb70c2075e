"""Random opsets, shapes and elements for the families."""

import functools

import numpy as np
import onnx

from operators.case import NEWEST

OLDEST = 7  # ONNX Runtime promises nothing below, but runs some
# Operators whose first versions work otherwise than by other types: without broadcasting, with attributes in place of inputs, in training.
CHANGED_BY_7 = {"Add", "And", "BatchNormalization", "Div", "Dropout", "Equal", "Gemm", "Greater", "Less", "Mul", "Or", "PRelu", "Pow", "Reshape",
                "Sub", "Tile",
                "Upsample", "Xor", "Mean", "Sum", "Max", "Min", "Cast", "GRU", "LSTM", "RNN", "Hardmax"}
FLOATS = ("float32", "float64", "float16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTEGERS
ANY = NUMBERS + ("bool", "str")


def chance(rng, probability):
    return bool(rng.random() < probability)


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


@functools.lru_cache(None)
def versions(op_type, domain=""):
    found = [s for s in onnx.defs.get_all_schemas_with_history() if s.name == op_type and s.domain == domain and not s.deprecated]
    return sorted({s.since_version for s in found})


def opset(rng, op_type, low=OLDEST, high=NEWEST):
    """A version range of the operator, then an opset within it."""
    starts = [v for v in versions(op_type) if v <= high]
    if low == OLDEST and starts[0] < OLDEST and op_type not in CHANGED_BY_7 and chance(rng, 0.08):
        return int(rng.integers(starts[0], OLDEST))
    ranges = [(max(low, v), min(high, w - 1)) for v, w in zip(starts, starts[1:] + [high + 1])]
    first, last = pick(rng, [(a, b) for a, b in ranges if a <= b])
    return first if chance(rng, 0.5) else int(rng.integers(first, last + 1))


def float_type(rng):
    return pick(rng, ("float32", "float32", "float32", "float64", "float16"))


def size(rng, most=6, zero=0.0):
    return 0 if chance(rng, zero) else int(rng.integers(1, most + 1))


def shape(rng, low=0, high=4, most=6, zero=0.02):
    """Of rank low to high; `zero` is each dimension's chance to be empty. Now and then long enough for whole vectors and their tails."""
    if low <= 2 <= high and chance(rng, 0.06):
        return [size(rng, 40), size(rng, 150)] if chance(rng, 0.5) or low == 2 or high < 1 else [size(rng, 600)]
    return [size(rng, most, zero) for _ in range(int(rng.integers(low, high + 1)))]


def alike(rng, full):
    """A shape that broadcasts to `full`: sizes of 1, leading axes left out."""
    kept = [1 if chance(rng, 0.25) else n for n in full]
    return kept[int(rng.integers(0, len(kept) + 1)) if chance(rng, 0.4) else 0:]


def broadcasting(rng, count, most=5, zero=0.02, high=4):
    """Shapes that broadcast with each other."""
    full = shape(rng, 0, high, most, zero)
    return [alike(rng, full) if chance(rng, 0.6) else list(full) for _ in range(count)]


def floats(rng, dims, dtype="float32", low=-3.0, high=3.0, special=0.0):
    """Uniform; `special` is the chance that the array holds NaN, infinities and negative zeros."""
    values = np.asarray(rng.uniform(low, high, dims))
    if special and values.size and chance(rng, special):
        marks = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0])
        values = np.where(rng.random(values.shape) < 0.3, marks[rng.integers(0, 5, values.shape)], values)
    return values.astype(dtype)


def integers(rng, dims, dtype="int64", low=None, high=None):
    """Uniform in [low, high]; without bounds: small ones, and sometimes all that the type holds."""
    info = np.iinfo(dtype)
    if low is None:
        low, high = (info.min, info.max) if chance(rng, 0.3) else (max(info.min, -10), 10)
    return np.asarray(rng.integers(max(low, info.min), min(high, info.max), dims, dtype=dtype, endpoint=True), dtype)


WORDS = ["", "a", "b", "ab", "Zebra", "été", "日本語", "a b", "10", "-3"]


def elements(rng, dims, dtype, **bounds):
    if dtype in ("bool", bool):
        return np.asarray(rng.integers(0, 2, dims)).astype(bool)
    if dtype == "str":
        return np.asarray(np.array(WORDS, object)[rng.integers(0, len(WORDS), dims)], object)
    if np.dtype(dtype).kind == "f":
        return floats(rng, dims, dtype, **bounds)
    return integers(rng, dims, dtype)


def signed_axis(rng, axis, rank):
    """The axis, sometimes counted from the end."""
    return axis - rank if chance(rng, 0.4) else axis


def axes_of(rng, rank, least=0):
    """Some axes, in any order, some negative."""
    count = int(rng.integers(least, rank + 1))
    return [signed_axis(rng, int(a), rank) for a in rng.permutation(rank)[:count]]


def some(rng, indexes, probability=0.4):
    """Which inputs are constants."""
    return [i for i in indexes if chance(rng, probability)]
