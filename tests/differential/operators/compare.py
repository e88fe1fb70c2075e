"""Whether two results agree."""

import math

import numpy as np

from operators.case import TOLERANCES


def plain(array):
    array = np.asarray(array)
    return array.astype(str) if array.dtype.kind in "OUS" else array


def difference(ours, theirs, tolerance, signed_zeros=False):
    """None, or how one output differs."""
    a, b = plain(ours), plain(theirs)
    if a.shape != b.shape:
        return f"shape {list(a.shape)}, not {list(b.shape)}"
    if a.dtype.kind == "U" or b.dtype.kind == "U":
        return None if a.dtype.kind == b.dtype.kind and (a == b).all() else f"strings differ: {a.reshape(-1)[:4]}, not {b.reshape(-1)[:4]}"
    if a.dtype != b.dtype:
        return f"type {a.dtype.name}, not {b.dtype.name}"
    if a.dtype.kind in "biu":
        return integer_difference(a, b, tolerance)
    rtol, atol = tolerance or TOLERANCES.get(a.dtype.name, (0, 0))
    kind = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = a.astype(kind), b.astype(kind)
    with np.errstate(all="ignore"):
        near = np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= atol + rtol * np.abs(b))
        wrong = ~((a == b) | (np.isnan(a) & np.isnan(b)) | near)
        if signed_zeros:
            wrong |= (a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b))
    return differing(a, b, wrong)


def integer_difference(a, b, tolerance):
    if tolerance and tolerance[1] >= 1 and a.dtype.kind != "b":
        wrong = np.abs(a.astype(np.float64) - b.astype(np.float64)) > tolerance[1]
    else:
        wrong = a != b
    return differing(a, b, wrong)


def differing(a, b, wrong):
    if not wrong.any():
        return None
    at = np.unravel_index(np.argmax(wrong), wrong.shape)
    return f"{int(wrong.sum())} of {wrong.size} elements, first at {[int(i) for i in at]}: {a[at]}, not {b[at]}"


def distribution_difference(ours, theirs):
    """The Kolmogorov-Smirnov distance of two samples, held to a chance of one in a million; values may be off by rounding (Levy's distance)."""
    a, b = np.sort(np.asarray(ours, np.float64).reshape(-1)), np.sort(np.asarray(theirs, np.float64).reshape(-1))
    if np.shape(ours) != np.shape(theirs) or np.asarray(ours).dtype != np.asarray(theirs).dtype:
        return f"{np.asarray(ours).dtype}{list(np.shape(ours))}, not {np.asarray(theirs).dtype}{list(np.shape(theirs))}"
    if not a.size:
        return None
    values, slack = np.concatenate([a, b]), 1e-5 * max(np.abs(a).max(), np.abs(b).max())

    def excess(low, high):
        return (np.searchsorted(low, values - slack, side="right") / low.size - np.searchsorted(high, values, side="right") / high.size).max()

    distance = max(excess(a, b), excess(b, a))
    if distance <= 2.7 * math.sqrt(2 / a.size):
        return None
    return f"distributions {distance:.3f} apart: mean {a.mean():.4g}, not {b.mean():.4g}; deviation {a.std():.4g}, not {b.std():.4g}"


def disagreement(case, ours, theirs):
    """None, or why the outcomes disagree. Both refusing is agreement."""
    if ours.error is not None or theirs.error is not None:
        if ours.error is not None and theirs.error is not None:
            return f"the driver fails: {ours.error}" if ours.error.startswith("the driver failed") else None
        return f"refused: {ours.error}" if ours.error is not None else f"ONNX Runtime refuses: {theirs.error}"
    for name, a, b in zip(case.output_names(), ours.outputs, theirs.outputs):
        why = distribution_difference(a, b) if case.sample else difference(a, b, case.tolerance, case.signed_zeros)
        if why:
            return f"{name}: {why}"
    return None
