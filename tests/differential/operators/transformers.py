"""Attention and what goes with it."""

from operators.draw import chance, elements, floats, integers, opset, pick, size, some

SUMS = {"float32": (2e-4, 5e-5), "float16": (2e-2, 1e-2), "float64": (1e-9, 1e-9)}


def attention(rng):
    version = opset(rng, "Attention")
    dtype = pick(rng, ["float32"] * 4 + ["float64", "float16"])
    batch, kv_heads, queries, keys, past = size(rng, 2), size(rng, 3), size(rng, 4), size(rng, 5), size(rng, 3)
    heads = kv_heads * pick(rng, [1, 1, 2, 3])
    width, value_width = size(rng, 6), size(rng, 6)
    flat = chance(rng, 0.4)
    cached = chance(rng, 0.3)
    total = keys + (past if cached else 0)

    def tensor(number, length, each):
        return floats(rng, [batch, length, number * each] if flat else [batch, number, length, each], dtype, -1, 1)

    inputs = [tensor(heads, queries, width), tensor(kv_heads, keys, width), tensor(kv_heads, keys, value_width)]
    given = {"q_num_heads": heads, "kv_num_heads": kv_heads} if flat else {}
    given |= {"is_causal": 1} if chance(rng, 0.35) else {}
    given |= {"scale": float(rng.uniform(0.1, 1))} if chance(rng, 0.4) else {}
    given |= {"softcap": float(rng.uniform(0.5, 3))} if chance(rng, 0.25) else {}
    mask = None
    if chance(rng, 0.5) and (version >= 24 or "is_causal" not in given):
        dims = [queries, total]
        dims = pick(rng, [dims, [1, 1] + dims, [batch, 1] + dims, [batch, heads] + dims])
        mask = elements(rng, dims, "bool") if chance(rng, 0.4) else floats(rng, dims, dtype, -2, 2)
        if mask.dtype == bool:
            mask[..., 0] = True
    inputs.append(mask)
    if cached:
        inputs += [floats(rng, [batch, kv_heads, past, each], dtype, -1, 1) for each in (width, value_width)]
    outputs = 3 if cached or chance(rng, 0.2) else 1
    if chance(rng, 0.25):
        outputs = 4
        given["qk_matmul_output_mode"] = int(rng.integers(4))
    while inputs[-1] is None:
        inputs.pop()
    left_out = (1, 2) if outputs == 4 and not cached else ()
    return {"opset": version, "node_attributes": given, "inputs": inputs, "outputs": outputs, "left_out": left_out,
            # Implementations differ in what of the scale they round to float, also where all else is double.
            "tolerance": (1e-6, 1e-7) if dtype == "float64" else SUMS[dtype]}


def rotary_embedding(rng):
    dtype = pick(rng, ["float32"] * 3 + ["float16"])
    batch, heads, length, width = size(rng, 2), size(rng, 3), size(rng, 4), 2 * size(rng, 4)
    flat = chance(rng, 0.4)
    rotary = 2 * int(rng.integers(1, width // 2 + 1)) if chance(rng, 0.3) else 0
    half, positions = (rotary or width) // 2, length + size(rng, 4)
    given = ({"num_heads": heads} if flat or rotary else {}) | ({"rotary_embedding_dim": rotary} if rotary else {})
    given |= {"interleaved": int(rng.integers(2))} if chance(rng, 0.7) else {}
    inputs = [floats(rng, [batch, length, heads * width] if flat else [batch, heads, length, width], dtype)]
    if chance(rng, 0.5):
        inputs += [floats(rng, [positions, half], dtype, -1, 1) for _ in range(2)] + [integers(rng, [batch, length], "int64", 0, positions - 1)]
    else:
        inputs += [floats(rng, [batch, length, half], dtype, -1, 1) for _ in range(2)]
    return {"opset": opset(rng, "RotaryEmbedding"), "node_attributes": given, "inputs": inputs, "constants": some(rng, [1, 2], 0.3)}


def linear_attention(rng):
    batch, heads, length, keys, values = size(rng, 2), size(rng, 3), size(rng, 5), size(rng, 4), size(rng, 4)
    rule = pick(rng, ["linear", "gated", "delta", "gated_delta"])
    given = {"q_num_heads": heads, "kv_num_heads": heads, "update_rule": rule}
    given |= {"scale": float(rng.uniform(0.3, 1))} if chance(rng, 0.5) else {}
    inputs = [floats(rng, [batch, length, heads * n], "float32", -1, 1) for n in (keys, keys, values)]
    inputs.append(floats(rng, [batch, heads, keys, values], "float32", -1, 1) if chance(rng, 0.5) else None)
    inputs.append(floats(rng, [batch, length, heads * pick(rng, [1, keys])], "float32", -1, 0) if "gated" in rule else None)
    inputs.append(floats(rng, [batch, length, heads], "float32", 0, 1) if "delta" in rule else None)
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "LinearAttention"), "node_attributes": given, "inputs": inputs, "outputs": 2, "tolerance": (2e-4, 5e-5)}


def causal_conv(rng):
    batch, channels, length, kernel = size(rng, 2), size(rng, 4), size(rng, 6), size(rng, 4)
    inputs = [floats(rng, [batch, channels, length]), floats(rng, [channels, 1, kernel]), floats(rng, [channels]) if chance(rng, 0.5) else None,
              floats(rng, [batch, channels, kernel - 1]) if chance(rng, 0.5) else None]
    while inputs[-1] is None:
        inputs.pop()
    given = {"activation": pick(rng, ["none", "silu", "swish"])} if chance(rng, 0.6) else {}
    return {"opset": opset(rng, "CausalConvWithState"), "node_attributes": given, "inputs": inputs,
            "outputs": 2, "tolerance": (5e-5, 5e-5)}


CASES = {
    "Attention": attention,
    "CausalConvWithState": causal_conv,
    "LinearAttention": linear_attention,
    "RotaryEmbedding": rotary_embedding,
}
