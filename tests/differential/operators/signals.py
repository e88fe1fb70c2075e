"""Fourier transforms, windows of signals, mel filters."""

import numpy as np

from operators.draw import chance, floats, opset, pick, signed_axis, size, some

SPECTRUM = {"float32": (1e-4, 1e-4), "float64": (1e-6, 1e-6)}


def dft(rng):
    version = opset(rng, "DFT")
    dims = [size(rng, 3)] + [size(rng, 9) for _ in range(int(rng.integers(1, 3)))]
    dtype = pick(rng, ["float32", "float32", "float64"])
    inverse = chance(rng, 0.35)
    onesided = chance(rng, 0.3)
    width = 1 if onesided and not inverse else pick(rng, [1, 2])
    if onesided and inverse:
        width = 2
    axis = int(rng.integers(1, len(dims)))
    dims[axis] += int(onesided and inverse)  # of one bin nothing would be made
    value = floats(rng, dims + [width], dtype)
    given = ({"inverse": 1} if inverse else {}) | ({"onesided": 1} if onesided else {})
    named = signed_axis(rng, axis, len(dims) + 1)
    length = np.array(size(rng, 12), np.int64) if chance(rng, 0.4) else None
    if version < 20:
        inputs = [value, length]
        given |= {"axis": named} if axis != 1 or chance(rng, 0.5) else {}
    else:
        inputs = [value, length, np.array(named, np.int64) if axis != len(dims) - 1 or chance(rng, 0.5) else None]
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": version, "node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 2], 0.6), "tolerance": SPECTRUM[dtype]}


def stft(rng):
    dtype = pick(rng, ["float32", "float32", "float64"])
    length, frame = int(rng.integers(8, 25)), int(rng.integers(2, 9))
    onesided = int(rng.integers(2))
    width = pick(rng, [1, 1, 2]) if not onesided else 1
    window = floats(rng, [frame], dtype, 0.1, 1) if chance(rng, 0.6) else None
    inputs = [floats(rng, [size(rng, 2), length, width], dtype), np.array(size(rng, 5), np.int64), window,
              np.array(frame, np.int64) if window is None or chance(rng, 0.4) else None]
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "STFT"), "node_attributes": {"onesided": onesided} if not onesided or chance(rng, 0.5) else {}, "inputs": inputs,
            "constants": some(rng, [1, 2, 3], 0.5), "tolerance": SPECTRUM[dtype]}


def window_function(op_type):
    def generate(rng):
        given = {"periodic": int(rng.integers(2))} if chance(rng, 0.7) else {}
        given |= {"output_datatype": pick(rng, [1, 1, 11, 10])} if chance(rng, 0.4) else {}
        return {"opset": opset(rng, op_type), "node_attributes": given, "inputs": [np.array(size(rng, 30), pick(rng, ["int32", "int64"]))],
                "constants": some(rng, [0], 0.3),
                "tolerance": (1e-5, 2e-6)}
    return generate


def mel_weight_matrix(rng):
    rate = int(pick(rng, [8000, 16000, 22050]))
    low = float(rng.integers(0, 500))
    values = [size(rng, 20), int(pick(rng, [16, 64, 256, 512])), rate, low, float(rng.integers(1000, rate // 2))]
    inputs = [np.array(v, "float32" if i > 2 else pick(rng, ["int32", "int64"])) for i, v in enumerate(values)]
    inputs[1:3] = [v.astype(inputs[0].dtype) for v in inputs[1:3]]
    return {"opset": opset(rng, "MelWeightMatrix"), "node_attributes": {"output_datatype": pick(rng, [1, 11])} if chance(rng, 0.4) else {},
            "inputs": inputs,
            "constants": some(rng, range(5), 0.4), "tolerance": (1e-4, 1e-4)}


CASES = {
    "BlackmanWindow": window_function("BlackmanWindow"),
    "DFT": dft,
    "HammingWindow": window_function("HammingWindow"),
    "HannWindow": window_function("HannWindow"),
    "MelWeightMatrix": mel_weight_matrix,
    "STFT": stft,
}
