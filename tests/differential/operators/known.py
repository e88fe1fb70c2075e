"""Predicates of operators_known.txt: each tells whether a disagreement is the one that the rule explains.

A predicate gets the case and both outcomes (`outputs`, or `error`), and is asked only where they disagree.
"""

import functools

import numpy as np

from operators.compare import disagreement
from operators.sides import reference


def confirmed(predicate):
    """The predicate, but not where onnx's reference evaluator can run the case and does not agree with sardonyx."""
    @functools.wraps(predicate)
    def both_hold(case, ours, theirs):
        if not predicate(case, ours, theirs):
            return False
        verdict = reference(case, case.model().SerializeToString())
        return verdict.error is not None or disagreement(case, ours, verdict) is None
    return both_hold


def both(ours, theirs):
    return ours.error is None and theirs.error is None


def refused_with(theirs, *texts):
    return theirs.error is not None and all(text in theirs.error for text in texts)




def real(array):
    return np.asarray(array).astype(np.float64)


def unequal(a, b, rtol=1e-2, atol=1e-2):
    """Where two arrays of one shape differ by more than rounding."""
    a, b = real(a), real(b)
    return ~((a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= atol + rtol * np.abs(b))))


def only_where(case, ours, theirs, mask):
    """The first outputs differ nowhere but there."""
    if not both(ours, theirs) or np.shape(ours.outputs[0]) != np.shape(theirs.outputs[0]):
        return False
    return bool((~unequal(ours.outputs[0], theirs.outputs[0], *(case.tolerance or (1e-2, 1e-2))) | mask).all())


def crash(case, ours, theirs):
    return ours.error is None and refused_with(theirs, "ONNX Runtime crashes")


def limit_at_infinity(case, ours, theirs):
    """Their NaN is at an infinite input, and ours is no NaN."""
    if not both(ours, theirs):
        return False
    return only_where(case, ours, theirs, np.isinf(real(case.inputs[0])) & np.isnan(real(theirs.outputs[0])))


@confirmed
def nan_sign(case, ours, theirs):
    return case.inputs[0].dtype == np.float16 and only_where(case, ours, theirs, np.isnan(case.inputs[0]))


@confirmed
def wide_integers(case, ours, theirs):
    """Integers that float32 cannot hold or tell from their neighbours' fractions, off by float32's rounding and the cut to an integer."""
    if case.inputs[0].dtype.kind not in "iu" or not both(ours, theirs):
        return False
    a, b = real(ours.outputs[0]), real(theirs.outputs[0])
    return bool((np.abs(a - b) <= np.maximum(np.abs(a) * 2.0**-22, np.abs(a) > 1000)).all())


def out_of_range_integers(case, ours, theirs):
    """The real result does not fit the integer type."""
    if case.inputs[0].dtype.kind not in "iu":
        return False
    x, bias, lambd = real(case.inputs[0]), case.attributes.get("bias", 0.0), case.attributes.get("lambd", 0.5)
    exact = np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0))
    info = np.iinfo(case.inputs[0].dtype)
    slack = 0 if case.inputs[0].dtype.itemsize < 4 else 2.0**-22 * max(abs(info.min), info.max)
    outside = (np.trunc(exact) < info.min + slack) | (np.trunc(exact) > info.max - slack)
    return bool((~unequal(ours.outputs[0], theirs.outputs[0], 2.0**-22, 0) | outside).all())


def scalar_nonzero(case, ours, theirs):
    return case.inputs[0].ndim == 0 and both(ours, theirs) and ours.outputs[0].shape == (0, int(case.inputs[0] != 0))


@confirmed
def empty_axes(case, ours, theirs):
    axes = case.array(1)
    return both(ours, theirs) and axes is not None and axes.size == 0 and 1 in case.inputs[0].shape and ours.outputs[0].shape == case.inputs[0].shape


@confirmed
def mean_of_nothing(case, ours, theirs):
    return case.inputs[0].size == 0 and both(ours, theirs) and bool(np.isnan(real(ours.outputs[0])).all())


@confirmed
def nan_among_the_reduced(case, ours, theirs):
    return case.inputs[0].dtype.kind == "f" and only_where(case, ours, theirs, np.isnan(real(ours.outputs[0])))


@confirmed
def int_max_backwards(case, ours, theirs):
    """An end of INT_MAX with a negative step."""
    if len(case.inputs) < 5 or not both(ours, theirs):
        return False
    return bool(((case.inputs[4] < 0) & (case.inputs[2] == 2**31 - 1)).any())


@confirmed
def int32_shape(case, ours, theirs):
    return case.inputs[1].dtype == np.int32 and refused_with(theirs, "bound to different types")


@confirmed
def int32_axes(case, ours, theirs):
    axes = case.array(3)
    return axes is not None and axes.dtype == np.int32 and refused_with(theirs, "ParseData type mismatch")


def cropped_reflection(case, ours, theirs):
    """A negative pad beside reflected or wrapped elements."""
    pads = case.attributes.get("pads") if case.opset < 11 else case.inputs[1]
    return case.attributes.get("mode") in ("reflect", "wrap", "edge") and int(np.min(pads)) < 0


def pads_of_nothing(case, ours, theirs):
    """No axis of size 0 is padded, but there is one."""
    return case.inputs[0].size == 0 and ours.error is None and refused_with(theirs, "Unexpected mode")


def body_in_float(case, ours, theirs):
    return case.inputs[0].dtype != np.float32 and refused_with(theirs, "bound to different types")


def lone_point(case, ours, theirs):
    return case.attributes.get("align_corners") == 1 and 1 in case.inputs[1][2:]


@confirmed
def not_two_spatial_axes(case, ours, theirs):
    return len(case.inputs[1]) != 2 and both(ours, theirs)


def automatic_pads(case):
    return case.attributes.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER")


def dilated_automatic_pads(case, ours, theirs):
    return automatic_pads(case) and any(d != 1 for d in case.attributes.get("dilations", []))


def ceil_automatic_pads(case, ours, theirs):
    return automatic_pads(case) and case.attributes.get("ceil_mode") == 1 and both(ours, theirs)


def stride_beyond_kernel(case, ours, theirs):
    """SAME pads where a stride is greater than the kernel: no pads are needed, or negative ones."""
    if not automatic_pads(case):
        return False
    kernel = case.attributes.get("kernel_shape") or list(case.inputs[1].shape[2:])
    strides = case.attributes.get("strides", [1] * len(kernel))
    dilations = case.attributes.get("dilations", [1] * len(kernel))
    return any(s > (k - 1) * d + 1 for s, k, d in zip(strides, kernel, dilations))


def window_of_pads(case, ours, theirs):
    """The maximum of a window that holds pads only."""
    return both(ours, theirs) and only_where(case, ours, theirs, np.isneginf(real(ours.outputs[0])))


def empty_bools(case, ours, theirs):
    return case.inputs[0].dtype == bool and case.inputs[0].size == 0 and refused_with(theirs, "not defined for empty set")


def product_out_of_range(case, ours, theirs):
    """An integer product that its type does not hold."""
    if case.inputs[0].dtype.kind not in "iu" or not both(ours, theirs):
        return False
    axes = case.attributes.get("axes") if case.opset < 18 else case.array(1)
    axes = tuple(int(a) for a in axes) if axes is not None and len(axes) else None
    exact = np.prod(real(case.inputs[0]), axis=axes).reshape(np.shape(ours.outputs[0]))
    return only_where(case, ours, theirs, np.abs(exact) > np.iinfo(case.inputs[0].dtype).max)


def arg_of_nothing(case, ours, theirs):
    return case.inputs[0].shape[case.attributes.get("axis",
                                                    0)] == 0 and ours.error is not None and theirs.error is None and theirs.outputs[0].size == 0


def mask_without_training(case, ours, theirs):
    """All is kept, so our mask is true."""
    return case.opset < 12 and both(ours, theirs) and len(ours.outputs) == 2 and bool(np.all(ours.outputs[1])) and not np.any(theirs.outputs[1])


@confirmed
def ellipses_of_other_ranks(case, ours, theirs):
    return refused_with(theirs, "Ellipsis for input")


@confirmed
def set_output_shape(case, ours, theirs):
    return case.array(2) is not None and both(ours, theirs)


@confirmed
def strings_in_blocks(case, ours, theirs):
    """More than one string for each index."""
    axis = case.attributes.get("axis", 0)
    return case.inputs[0].dtype.kind in "OU" and both(ours, theirs) and int(np.prod(case.inputs[0].shape[axis % case.inputs[0].ndim + 1:])) > 1


@confirmed
def inverse_onesided(case, ours, theirs):
    return case.attributes.get("inverse") == 1 and case.attributes.get("onesided") == 1 and both(ours, theirs)


def softplus_overflow(case, ours, theirs):
    """Theirs is no finite number where ours is."""
    if "softplus" not in [name.lower() for name in case.attributes.get("activations", [])] or not both(ours, theirs):
        return False
    a, b = (np.concatenate([real(output).reshape(-1) for output in side.outputs]) for side in (ours, theirs))
    return bool((~unequal(a, b, *case.tolerance) | (np.isfinite(a) & ~np.isfinite(b))).all())


@confirmed
def causal_after_past(case, ours, theirs):
    return case.attributes.get("is_causal") == 1 and case.array(4) is not None and both(ours, theirs)


def masked_scores(case, ours, theirs):
    """Scores that a mask takes out: -infinity, or the least float."""
    if case.outputs < 4 or not both(ours, theirs):
        return False
    a, b = real(ours.outputs[-1]), real(theirs.outputs[-1])
    return bool(((np.isneginf(a) & (b < -6e4)) | ~unequal(a, b)).all())


def lone_sample(case, ours, theirs):
    return case.inputs[0] == 1 and case.attributes.get("periodic", 1) == 0 and both(ours, theirs)


def digits_of_floats(case, ours, theirs):
    """Both texts stand for the same float."""
    if not both(ours, theirs) or case.inputs[0].dtype.kind not in "fV" or not isinstance(np.asarray(ours.outputs[0]).reshape(-1)[0], str):
        return False
    kind = case.inputs[0].dtype
    values = [np.array([float(text) for text in np.asarray(side.outputs[0]).reshape(-1)]).astype(kind) for side in (ours, theirs)]
    return bool(((values[0] == values[1]) | (np.isnan(values[0]) & np.isnan(values[1]))).all())


@confirmed
def empty_text(case, ours, theirs):
    """Only numbers of parts of "" differ, with a delimiter."""
    if not both(ours, theirs) or not case.attributes.get("delimiter"):
        return False
    return bool(((ours.outputs[1] == theirs.outputs[1]) | (case.inputs[0] == "")).all())


def few_digits(case, ours, theirs):
    """Our text reads back as the input, theirs to seven digits."""
    if not both(ours, theirs) or case.inputs[0].dtype.kind not in "fV" or not isinstance(np.asarray(ours.outputs[0]).reshape(-1)[0], str):
        return False
    values = [np.array([float(text) for text in np.asarray(side.outputs[0]).reshape(-1)]) for side in (ours, theirs)]
    return not unequal(values[0].astype(case.inputs[0].dtype), case.inputs[0].reshape(-1), 0, 0).any() and not unequal(*values, 1e-7, 0).any()


@confirmed
def rounded_to_four_bits(case, ours, theirs):
    """Ours cuts to an integer, theirs rounds."""
    if case.inputs[0].dtype.kind not in "fV" or not both(ours, theirs) or case.wide != {0}:
        return False
    exact = real(case.inputs[0])
    return bool((np.trunc(exact) == real(ours.outputs[0])).all()) and bool((np.abs(real(theirs.outputs[0]) - exact) <= 0.5).all())


def one_element_sets(case, ours, theirs):
    """Each mean is over one element, or over equal ones: nothing but rounding is left."""
    axes = {"MeanVarianceNormalization": tuple(case.attributes.get("axes", (0, 2, 3))), "BatchNormalization": (0, *range(2, case.inputs[0].ndim))}
    axes = axes.get(case.op_type, tuple(range(2, case.inputs[0].ndim)))
    return both(ours, theirs) and int(np.prod([case.inputs[0].shape[a] for a in axes])) == 1


def cancelled_variance(case, ours, theirs):
    """Ours is near the exact result."""
    if not both(ours, theirs):
        return False
    x, scale, bias = (real(value) for value in case.inputs)
    groups = x.reshape(x.shape[0], case.attributes["num_groups"], -1)
    y = (groups - groups.mean(-1, keepdims=True)) / np.sqrt(groups.var(-1, keepdims=True) + np.float32(case.attributes.get("epsilon", 1e-5)))
    channels = [1, -1] + [1] * (x.ndim - 2)
    return not unequal(ours.outputs[0], y.reshape(x.shape) * scale.reshape(channels) + bias.reshape(channels), *case.tolerance).any()


def complement(case, ours, theirs):
    """Ours has the probability that was asked for, theirs the other one."""
    wanted = float(case.inputs[0][0])
    return both(ours, theirs) and abs(real(ours.outputs[0]).mean() - wanted) < 0.03 and abs(real(theirs.outputs[0]).mean() - (1 - wanted)) < 0.03


@confirmed
def block_of_a_vector(case, ours, theirs):
    return case.inputs[0].ndim == 1 and case.attributes.get("block_size", 0) > 0 and refused_with(theirs, "block_size must be 0")


@confirmed
def fractional_length(case, ours, theirs):
    """Coordinates that depend on the resized length, where scale times length is no whole number."""
    if case.attributes.get("coordinate_transformation_mode") not in ("align_corners", "tf_crop_and_resize") or not both(ours, theirs):
        return False
    scales = case.array(2)
    if scales is None or not scales.size:
        return case.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch"
    axes = case.attributes.get("axes", range(len(scales)))
    lengths = np.array([case.inputs[0].shape[a] for a in axes]) * real(scales)
    return bool((np.abs(lengths - np.round(lengths)) > 1e-5).any())


@confirmed
def antialias_from_the_edge(case, ours, theirs):
    return case.attributes.get("antialias") == 1 and case.attributes.get("coordinate_transformation_mode") == "asymmetric" and both(ours, theirs)


@confirmed
def crop_at_same_size(case, ours, theirs):
    """An axis is cropped, and then resized to its old size."""
    roi = case.array(1)
    if case.attributes.get("coordinate_transformation_mode") != "tf_crop_and_resize" or roi is None or not both(ours, theirs):
        return False
    axes = case.attributes.get("axes", range(len(roi) // 2))
    sizes = zip(axes, roi[:len(roi) // 2], roi[len(roi) // 2:])
    return any(case.inputs[0].shape[a] == np.shape(ours.outputs[0])[a] and (start, end) != (0, 1) for a, start, end in sizes)


def near_tie(case, ours, theirs):
    """Where a coordinate is a multiple of one half but for rounding."""
    if case.attributes["mode"] != "nearest" or not both(ours, theirs) or np.shape(ours.outputs[0]) != np.shape(theirs.outputs[0]):
        return False
    mask = np.zeros(ours.outputs[0].shape, bool)
    for axis, (before, after) in enumerate(zip(case.inputs[0].shape, ours.outputs[0].shape)):
        for scale in {after / before, *(float(s) for s in ([] if case.array(2) is None else case.inputs[2]))}:
            position = np.arange(after)
            for at in ((position + 0.5) / scale - 0.5, position / scale):
                tie = np.abs(2 * at - np.round(2 * at)) < 1e-4
                mask |= tie.reshape([-1 if i == axis else 1 for i in range(mask.ndim)])
    return only_where(case, ours, theirs, mask)


@confirmed
def ratio_of_negative_axes(case, ours, theirs):
    return case.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch" and min(case.attributes.get("axes", [0])) < 0


@confirmed
def same_size(case, ours, theirs):
    """The output has the input's shape although a scale is not 1."""
    return both(ours, theirs) and ours.outputs[0].shape == case.inputs[0].shape
