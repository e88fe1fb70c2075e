"""Losses."""

from operators.draw import chance, floats, integers, opset, pick, shape, size, some


def loss(op_type):
    def generate(rng):
        dtype = pick(rng, ["float32", "float32", "float64", "float16"])
        batch, classes, rest = size(rng, 4), size(rng, 5), shape(rng, 0, 3, 4, 0.0)
        ignored = chance(rng, 0.4)
        given = {"reduction": pick(rng, ["none", "sum", "mean"])} if chance(rng, 0.8) else {}
        target = integers(rng, [batch] + rest, pick(rng, ["int32", "int64"]), 0, classes - 1)
        if ignored:
            given["ignore_index"] = int(rng.integers(-1, classes))
            if given["ignore_index"] < 0:
                target[rng.random(target.shape) < 0.3] = given["ignore_index"]
        inputs = [floats(rng, [batch, classes] + rest, dtype), target] + ([floats(rng, [classes], dtype, 0.1, 2)] if chance(rng, 0.5) else [])
        outputs = pick(rng, [1, 2]) if op_type == "SoftmaxCrossEntropyLoss" else 1
        return {"opset": opset(rng, op_type), "node_attributes": given, "inputs": inputs, "outputs": outputs, "constants": some(rng, [2], 0.3),
                "tolerance": (5e-5, 1e-5) if dtype == "float32" else (1e-2, 1e-2) if dtype == "float16" else None}
    return generate


CASES = {
    "NegativeLogLikelihoodLoss": loss("NegativeLogLikelihoodLoss"),
    "SoftmaxCrossEntropyLoss": loss("SoftmaxCrossEntropyLoss"),
}
