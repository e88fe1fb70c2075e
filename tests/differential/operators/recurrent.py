"""Recurrent networks."""

from operators.draw import chance, floats, integers, opset, pick, size, some

ACTIVATIONS = ["Tanh", "Sigmoid", "Relu", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus"]
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
PARAMETERS = {"Affine": ((0.3, 1), (-0.5, 0.5)), "LeakyRelu": ((0.01, 0.5),), "ThresholdedRelu": ((0, 1),), "ScaledTanh": ((0.5, 1.5), (0.5, 1.5)),
              "HardSigmoid": ((0.1, 0.4), (0.2, 0.7)), "Elu": ((0.3, 1.2),)}


def functions(rng, op_type, count, given):
    """activations, and alphas and betas for those that take them."""
    names = [pick(rng, ACTIVATIONS) for _ in range(count)]
    given["activations"] = [name.lower() if op_type != "RNN" and chance(rng, 0.1) else name for name in names]
    for i, attribute in enumerate(("activation_alpha", "activation_beta")):
        values = [float(rng.uniform(*PARAMETERS[name][i])) for name in names if len(PARAMETERS.get(name, ())) > i]
        if values:
            given[attribute] = values


def network(op_type):
    def generate(rng):
        version = opset(rng, op_type)
        direction = pick(rng, ["forward", "reverse", "bidirectional"])
        ways = 2 if direction == "bidirectional" else 1
        steps, batch, features, hidden = size(rng, 5), size(rng, 3), size(rng, 4), size(rng, 5)
        given = {"hidden_size": hidden, "direction": direction}
        if chance(rng, 0.5):
            functions(rng, op_type, FUNCTIONS[op_type] * ways, given)
        given |= {"clip": float(rng.uniform(0.3, 2))} if chance(rng, 0.2) else {}
        given |= {"linear_before_reset": int(rng.integers(2))} if op_type == "GRU" and chance(rng, 0.6) else {}
        given |= {"input_forget": 1} if op_type == "LSTM" and chance(rng, 0.2) else {}
        layout = 1 if version >= 14 and chance(rng, 0.2) else 0
        given |= {"layout": layout} if layout or (version >= 14 and chance(rng, 0.2)) else {}
        dtype = pick(rng, ("float32",) * 4 + ("float64",))
        gates = GATES[op_type]
        state = [batch, ways, hidden] if layout else [ways, batch, hidden]
        dims = [[batch, steps, features] if layout else [steps, batch, features], [ways, gates * hidden, features], [ways, gates * hidden, hidden],
                [ways, 2 * gates * hidden]]
        inputs = [floats(rng, d, dtype, -1, 1) for d in dims]
        inputs[3] = inputs[3] if chance(rng, 0.6) else None
        inputs.append(integers(rng, [batch], "int32", 1, steps) if chance(rng, 0.4) else None)
        inputs += [floats(rng, state, dtype, -1, 1) if chance(rng, 0.4) else None for _ in range(2 if op_type == "LSTM" else 1)]
        if op_type == "LSTM":
            inputs.append(floats(rng, [ways, 3 * hidden], dtype, -1, 1) if chance(rng, 0.3) else None)
        while inputs[-1] is None:
            inputs.pop()
        outputs = 3 if op_type == "LSTM" else 2
        left_out = pick(rng, [(), (), (0,), tuple(range(1, outputs))])
        return {"opset": version, "node_attributes": given, "inputs": inputs, "outputs": outputs, "left_out": left_out,
                "constants": some(rng, [1, 2, 3, 7], 0.5),
                "tolerance": (1e-4, 2e-5)}
    return generate


CASES = {"GRU": network("GRU"), "LSTM": network("LSTM"), "RNN": network("RNN")}
