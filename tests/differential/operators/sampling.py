"""Operators that draw random numbers: both sides' samples must have one distribution."""

import numpy as np

from operators.draw import chance, opset, pick

COUNT = 20000


def spread(rng, kind):
    """mean and scale, or low and high."""
    if kind == "Normal":
        return {name: value for name, value in (("mean", float(rng.uniform(-3, 3))), ("scale", float(rng.uniform(0.2, 3)))) if chance(rng, 0.7)}
    low = float(rng.uniform(-3, 0.5))
    return {"low": low, "high": low + float(rng.uniform(0.2, 4))} if chance(rng, 0.7) else {}


def seeded(rng):
    return {"seed": float(rng.integers(1, 1000))} if chance(rng, 0.4) else {}


def made(kind):
    def generate(rng):
        given = spread(rng, kind) | seeded(rng) | {"shape": pick(rng, [[COUNT], [10, COUNT // 10], [2, 1, COUNT // 2]])}
        given |= {"dtype": pick(rng, [1, 1, 11, 10])} if chance(rng, 0.5) else {}
        return {"opset": opset(rng, f"Random{kind}"), "node_attributes": given, "inputs": [], "sample": True}
    return generate


def made_like(kind):
    def generate(rng):
        given = spread(rng, kind) | seeded(rng)
        value = np.zeros(pick(rng, [[COUNT], [10, COUNT // 10]]), pick(rng, ["float32", "float64", "float16", "int32"]))
        if value.dtype.kind == "i" or chance(rng, 0.3):
            given["dtype"] = pick(rng, [1, 11, 10])
        return {"opset": opset(rng, f"Random{kind}Like"), "node_attributes": given, "inputs": [value], "sample": True}
    return generate


def bernoulli(rng):
    given = seeded(rng) | ({"dtype": pick(rng, [1, 6, 7, 9, 11, 2])} if chance(rng, 0.6) else {})
    return {"opset": opset(rng, "Bernoulli"), "node_attributes": given,
            "inputs": [np.full([COUNT], rng.uniform(0, 1), pick(rng, ["float32", "float64", "float16"]))], "sample": True}


def multinomial(rng):
    classes = int(rng.integers(1, 7))
    given = seeded(rng) | {"sample_size": COUNT} | ({"dtype": pick(rng, [6, 7])} if chance(rng, 0.5) else {})
    value = rng.uniform(-2, 2, [1, classes])
    return {"opset": opset(rng, "Multinomial"), "node_attributes": given,
            "inputs": [value.astype(pick(rng, ["float32", "float32", "float64", "float16"]))], "sample": True}


def training_dropout(rng):
    """Of a constant input: zeros and scaled constants in the ratio's proportion."""
    value = np.full([COUNT], rng.uniform(0.5, 2), pick(rng, ["float32", "float64"]))
    ratio = np.array(rng.uniform(0, 0.95), pick(rng, ["float32", value.dtype.name])) if chance(rng, 0.8) else None
    outputs = pick(rng, [1, 2])
    return {"opset": opset(rng, "Dropout", 12), "node_attributes": {"seed": 7} if chance(rng, 0.4) else {}, "inputs": [value, ratio, np.array(True)],
            "outputs": outputs, "sample": True}


CASES = {
    "Bernoulli": bernoulli,
    "Multinomial": multinomial,
    "RandomNormal": made("Normal"),
    "RandomNormalLike": made_like("Normal"),
    "RandomUniform": made("Uniform"),
    "RandomUniformLike": made_like("Uniform"),
}
