"""Operators of pictures: resampling, regions, boxes."""

import numpy as np

from operators.draw import chance, elements, floats, integers, opset, pick, shape, size, some

RESAMPLED = {"float32": (5e-5, 5e-5), "float16": (1e-2, 1e-2), "float64": (1e-4, 1e-4)}


def resize(rng):
    version = opset(rng, "Resize")
    mode = pick(rng, ["nearest", "linear", "cubic"] if version >= 11 else ["nearest", "linear"])
    dims = shape(rng, 2, 4, 6, 0.0)
    if mode == "cubic" or (mode == "linear" and len(dims) < 4):
        dims = [size(rng, 2), size(rng, 3), size(rng, 7), size(rng, 7)] if mode == "cubic" or version == 10 else dims
    resized = list(range(len(dims)))[-pick(rng, [1, 2, 2]):] if mode != "nearest" or chance(rng, 0.7) else list(range(len(dims)))
    some_scales = [0.5, 0.75, 1.5, 2.0, 2.5, 3.0, 0.37, 1.37] + ([0.6, 0.4, 1.3] if mode != "nearest" else [])  # those hit ties but for rounding
    scales = [float(pick(rng, some_scales)) if i in resized else 1.0 for i in range(len(dims))]
    scales = [s if int(n * s) >= 1 else 1.0 for n, s in zip(dims, scales)]
    dtype = pick(rng, ("float32",) * 4 + ("uint8", "int8", "int32", "float16"))
    value = integers(rng, dims, dtype, 0, 100) if np.dtype(dtype).kind in "iu" else elements(rng, dims, dtype)
    given = {"mode": mode}
    tolerance = RESAMPLED.get(dtype, (0, 1))
    if version == 10:
        return {"opset": version, "node_attributes": given, "inputs": [value, np.array(scales, np.float32)], "constants": some(rng, [1], 0.7),
                "tolerance": tolerance}
    return resize_later(rng, version, given, value, scales, resized, tolerance)


def resize_later(rng, version, given, value, scales, resized, tolerance):
    mode, dims = given["mode"], value.shape
    transforms = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"]
    transforms += ["tf_half_pixel_for_nn"] if version < 13 and mode == "nearest" else []
    transforms += ["half_pixel_symmetric"] if version >= 19 else []
    transform = pick(rng, transforms)
    if chance(rng, 0.8) or transform != "half_pixel":
        given["coordinate_transformation_mode"] = transform
    if mode == "nearest" and chance(rng, 0.8):
        given["nearest_mode"] = pick(rng, ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    if mode == "cubic":
        given |= {"cubic_coeff_a": -0.5} if chance(rng, 0.4) else {}
        given |= {"exclude_outside": 1} if chance(rng, 0.4) and transform != "tf_crop_and_resize" else {}
    axes = None
    if version >= 18:
        if mode != "nearest" and chance(rng, 0.3):
            given["antialias"] = 1
        if chance(rng, 0.3):
            axes = [int(a) for a in resized]
            given["axes"] = [a - len(dims) if chance(rng, 0.3) else a for a in axes]
    shown = list(range(len(dims))) if axes is None else axes
    roi = None
    if transform == "tf_crop_and_resize":
        start = [float(rng.uniform(0, 0.4)) if i in resized else 0.0 for i in shown]
        roi = np.array(start + [float(rng.uniform(0.6, 1.2)) if i in resized else 1.0 for i in shown], np.float32)
        given |= {"extrapolation_value": float(rng.integers(0, 5))} if chance(rng, 0.5) else {}
    inputs = [value, roi if roi is not None else np.zeros([0], np.float32) if version < 13 else None]
    if chance(rng, 0.5):
        inputs.append(np.array([scales[i] for i in shown], np.float32))
    else:
        inputs.append(np.zeros([0], np.float32) if version < 13 else None)
        inputs.append(np.array([int(dims[i] * scales[i] + 0.5) or 1 for i in shown], np.int64))
        if version >= 18 and chance(rng, 0.3):
            given["keep_aspect_ratio_policy"] = pick(rng, ["stretch", "not_larger", "not_smaller"])
    return {"opset": version, "node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 2, 3], 0.7), "tolerance": tolerance}


def upsample(rng):
    version = opset(rng, "Upsample", high=9)
    dims = [size(rng, 2), size(rng, 3), size(rng, 5), size(rng, 5)]
    scales = [1.0, 1.0, float(pick(rng, [1.0, 1.5, 2.0, 3.0])), float(pick(rng, [1.0, 1.4, 2.0, 4.0]))]
    dtype = pick(rng, ("float32", "float32", "int32", "uint8"))
    value = integers(rng, dims, dtype, 0, 100) if dtype != "float32" else floats(rng, dims)
    given = {"mode": pick(rng, ["nearest", "linear"])}
    tolerance = RESAMPLED.get(dtype, (0, 1))
    if version < 9:
        return {"opset": version, "node_attributes": given | {"scales": scales}, "inputs": [value], "tolerance": tolerance}
    return {"opset": version, "node_attributes": given, "inputs": [value, np.array(scales, np.float32)], "constants": some(rng, [1], 0.7),
            "tolerance": tolerance}


def grid_sample(rng):
    version = opset(rng, "GridSample")
    modes = ["linear", "nearest", "cubic"] if version >= 20 else ["bilinear", "nearest", "bicubic"]
    given = {"mode": pick(rng, modes)} if chance(rng, 0.8) else {}
    given |= {"padding_mode": pick(rng, ["zeros", "border", "reflection"])} if chance(rng, 0.7) else {}
    given |= {"align_corners": int(rng.integers(2))} if chance(rng, 0.6) else {}
    rank = 3 if version >= 20 and chance(rng, 0.3) and given.get("mode") != "cubic" else 2
    value = floats(rng, [size(rng, 2), size(rng, 3)] + [size(rng, 6) for _ in range(rank)], pick(rng, ["float32", "float32", "float64"]))
    grid = floats(rng, [value.shape[0]] + [size(rng, 5, 0.02) for _ in range(rank)] + [rank], value.dtype, -1.4, 1.4)
    return {"opset": version, "node_attributes": given, "inputs": [value, grid], "tolerance": (2e-4, 2e-4)}


def affine_grid(rng):
    rank = pick(rng, [2, 2, 3])
    batch = size(rng, 3)
    target = [batch, size(rng, 3)] + [size(rng, 5) for _ in range(rank)]
    return {"opset": opset(rng, "AffineGrid"), "node_attributes": {"align_corners": int(rng.integers(2))} if chance(rng, 0.7) else {},
            "constants": some(rng, [1], 0.5),
            "inputs": [floats(rng, [batch, rank, rank + 1], pick(rng, ["float32", "float64"])), np.array(target, np.int64)],
            "tolerance": (2e-5, 2e-5)}


def boxes_in(rng, count, limits, dtype):
    """(x1, y1, x2, y2), sorted."""
    x, y = (np.sort(rng.uniform(-0.1 * n, 1.1 * n, [count, 2]), 1) for n in limits)
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], 1).astype(dtype)


def roi_align(rng):
    version = opset(rng, "RoiAlign")
    dtype = pick(rng, ["float32", "float32", "float64"])
    value = floats(rng, [size(rng, 2), size(rng, 3), size(rng, 8), size(rng, 8)], dtype)
    scale = float(pick(rng, [1.0, 0.5, 0.25]))
    count = size(rng, 4, 0.03)
    rois = boxes_in(rng, count, [value.shape[3] / scale, value.shape[2] / scale], dtype)
    given = {"output_height": size(rng, 4), "output_width": size(rng, 4), "sampling_ratio": int(rng.integers(0, 4)), "spatial_scale": scale}
    given = {name: v for name, v in given.items() if chance(rng, 0.8)} | {"spatial_scale": scale}
    given |= {"mode": pick(rng, ["avg", "max"])} if chance(rng, 0.5) else {}
    if version >= 16 and chance(rng, 0.6):
        given["coordinate_transformation_mode"] = pick(rng, ["half_pixel", "output_half_pixel"])
    return {"opset": version, "node_attributes": given, "inputs": [value, rois, integers(rng, [count], "int64", 0, value.shape[0] - 1)],
            "tolerance": (2e-4, 2e-4)}


def max_roi_pool(rng):
    value = floats(rng, [size(rng, 2), size(rng, 3), size(rng, 8), size(rng, 8)])
    count = size(rng, 4)
    rois = np.concatenate([integers(rng, [count, 1], "int64", 0, value.shape[0] - 1),
                           np.round(boxes_in(rng, count, [value.shape[3], value.shape[2]], "float32"))], 1)
    return {"opset": opset(rng, "MaxRoiPool"), "node_attributes": {"pooled_shape": [size(rng, 4), size(rng, 4)],
                                                                   "spatial_scale": float(pick(rng, [1.0, 0.5]))},
            "inputs": [value, np.clip(rois, 0, None).astype(np.float32)]}


def non_max_suppression(rng):
    batches, classes, count = size(rng, 2), size(rng, 3), size(rng, 9, 0.03)
    center = int(rng.integers(2))
    boxes = np.stack([boxes_in(rng, count, [10, 10], "float32") for _ in range(batches)])
    if center:
        boxes = np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], -1)
    elif chance(rng, 0.3):
        boxes = boxes[..., [2, 1, 0, 3]]
    scores = floats(rng, [batches, classes, count], "float32", 0, 1)
    if chance(rng, 0.3):
        scores = np.round(scores * 4) / np.float32(4)
    rest = [integers(rng, pick(rng, [[], [1]]), "int64", 0 if chance(rng, 0.2) else 1, 5), floats(rng, pick(rng, [[], [1]]), "float32", 0, 1),
            floats(rng, pick(rng, [[], [1]]), "float32", 0, 0.7)]
    inputs = [boxes, scores] + [value if chance(rng, 0.85) else None for value in rest]
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "NonMaxSuppression"), "node_attributes": {"center_point_box": center} if center or chance(rng, 0.3) else {},
            "inputs": inputs,
            "constants": some(rng, range(2, 5), 0.5)}


CASES = {
    "AffineGrid": affine_grid,
    "GridSample": grid_sample,
    "MaxRoiPool": max_roi_pool,
    "NonMaxSuppression": non_max_suppression,
    "Resize": resize,
    "RoiAlign": roi_align,
    "Upsample": upsample,
}
