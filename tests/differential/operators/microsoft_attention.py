"""Random nodes of the attention operators of com.microsoft, of MatMulNBits and of DynamicQuantizeLSTM, as ONNX Runtime's CPU takes them.

CASES maps each operator to a function of a numpy generator. It gives a dict: node_attributes, inputs (arrays, None where an optional input
is left out), outputs (their count), constants (numbers of the inputs to be initializers) and tolerance (relative, absolute).
"""
import numpy as np


def _floats(rng, *shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def _ints(rng, low, high, *shape):
    return rng.integers(low, high, shape).astype(np.int32)


def _maybe(rng, value, probability=0.5):
    """The value, or None."""
    return value if rng.random() < probability else None


def _case(attributes, inputs, outputs=1, constants=(), tolerance=(1e-4, 2e-5)):
    while inputs and inputs[-1] is None:
        inputs.pop()
    kept = {name: value for name, value in attributes.items() if value is not None}
    return {"node_attributes": kept, "inputs": inputs, "outputs": outputs,
            "constants": [i for i in constants if i < len(inputs) and inputs[i] is not None], "tolerance": tolerance}


def _padding_mask(rng, batch, queries, keys, kinds):
    kind = rng.choice(kinds)
    if kind == "none":
        return None
    if kind == "ends":
        return _ints(rng, 0, keys + 3, batch)
    if kind == "ends_and_starts":
        return np.concatenate([_ints(rng, 0, keys + 2, batch), _ints(rng, 0, keys, batch)])
    if kind == "lengths":
        return np.concatenate([_ints(rng, 0, keys + 1, batch), _ints(rng, 0, 9, 2 * batch + 2)])
    if kind == "dummy":
        return _ints(rng, 0, 2, rng.choice([1, batch]), 1)
    if kind == "keys":
        return _ints(rng, 0, 2, batch, keys)
    return _ints(rng, 0, 2, batch, queries, keys)


def _score_bias(rng, batch, heads, queries, keys):
    return _floats(rng, rng.choice([1, batch]), rng.choice([1, heads]), queries, keys)


_SELF_MASKS = ["none", "ends", "ends_and_starts", "lengths", "dummy", "keys", "rows"]


def attention(rng):
    """One projection for Q, K and V: masks, past or bias, hidden sizes."""
    batch, queries, heads = int(rng.integers(1, 4)), int(rng.integers(1, 40)), int(rng.integers(1, 5))
    size, width = int(rng.integers(1, 20)), int(rng.integers(1, 40))
    has_past = rng.random() < 0.4
    value_size = size if has_past or rng.random() < 0.5 else int(rng.integers(1, 20))
    past = int(rng.integers(1, 9)) if has_past else 0
    hidden = [heads * size, heads * size, heads * value_size]
    attributes = {"num_heads": heads, "unidirectional": int(rng.integers(0, 2)), "scale": _maybe(rng, float(rng.uniform(0.1, 1)), 0.3),
                  "mask_filter_value": _maybe(rng, float(-rng.uniform(1, 100)), 0.3),
                  "qkv_hidden_sizes": hidden if value_size != size or rng.random() < 0.3 else None}
    keys = past + queries
    inputs = [_floats(rng, batch, queries, width), _floats(rng, width, sum(hidden), scale=width**-0.5),
              _maybe(rng, _floats(rng, sum(hidden)), 0.8), _padding_mask(rng, batch, queries, keys, _SELF_MASKS),
              _floats(rng, 2, batch, heads, past, size) if has_past else None,
              None if has_past else _maybe(rng, _score_bias(rng, batch, heads, queries, keys), 0.3)]
    wants_present = has_past or (value_size == size and rng.random() < 0.3)
    return _case(attributes, inputs, 2 if wants_present else 1, [1, 2] if rng.random() < 0.5 else [])


def qattention(rng):
    """The same from bytes."""
    batch, queries, heads = int(rng.integers(1, 4)), int(rng.integers(1, 30)), int(rng.integers(1, 5))
    size, width = int(rng.integers(1, 20)), int(rng.integers(1, 40))
    columns, past = 3 * heads * size, int(rng.choice([0, 0, 3]))
    of_input, of_weights = np.uint8, rng.choice([np.uint8, np.int8])
    def raw(dtype, *shape):
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max + 1, shape).astype(dtype)
    per_column = rng.random() < 0.5
    scales = rng.uniform(0.001, 0.01, columns if per_column else 1).astype(np.float32)
    zero = raw(of_weights, columns) if per_column and rng.random() < 0.5 else raw(of_weights, 1)
    inputs = [raw(of_input, batch, queries, width), raw(of_weights, width, columns), _floats(rng, columns), np.float32(rng.uniform(0.001, 0.01)).reshape(1),
              scales, _padding_mask(rng, batch, queries, past + queries, _SELF_MASKS), _maybe(rng, raw(of_input, 1), 0.8),
              _maybe(rng, zero, 0.8), _floats(rng, 2, batch, heads, past, size) if past else None]
    attributes = {"num_heads": heads, "unidirectional": int(rng.integers(0, 2))}
    constants = [1, 2, 3, 4, 6, 7] if rng.random() < 0.5 else []
    return _case(attributes, inputs, 2 if past or rng.random() < 0.3 else 1, constants)


def multi_head_attention(rng):
    """Q, K and V apart, K and V with heads first, past and present, masks, bias."""
    batch, heads, size = int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 20))
    queries, fresh = int(rng.integers(1, 70)), int(rng.integers(1, 50))
    heads_first = rng.random() < 0.2
    past = 0 if heads_first or rng.random() < 0.6 else int(rng.integers(1, 9))
    value_size = size if past or heads_first else int(rng.choice([size, rng.integers(1, 20)]))
    causal = rng.random() < 0.4
    if causal:
        queries = fresh  # ONNX Runtime lets the last query see all keys
    keys = past + fresh
    if heads_first:
        key, value = _floats(rng, batch, heads, fresh, size), _floats(rng, batch, heads, fresh, value_size)
    else:
        key, value = _floats(rng, batch, fresh, heads * size), _floats(rng, batch, fresh, heads * value_size)
    masks = ["none", "ends", "lengths", "keys", "rows"]
    inputs = [_floats(rng, batch, queries, heads * size), key, value,
              None if heads_first else _maybe(rng, _floats(rng, heads * (2 * size + value_size))),
              _padding_mask(rng, batch, queries, keys, masks), _maybe(rng, _score_bias(rng, batch, heads, queries, keys), 0.3),
              _floats(rng, batch, heads, past, size) if past else None, _floats(rng, batch, heads, past, value_size) if past else None]
    attributes = {"num_heads": heads, "unidirectional": int(causal), "scale": _maybe(rng, float(rng.uniform(0.1, 1)), 0.3),
                  "mask_filter_value": _maybe(rng, float(-rng.uniform(1, 100)), 0.3)}
    outputs = 3 if past else 1 if heads_first else int(rng.choice([1, 3]))  # a past without present is misread
    return _case(attributes, inputs, outputs)


def group_query_attention(rng):
    """Prompts, tokens and chunks, packed or not, with caches that are full or have room."""
    heads, key_heads = [(1, 1), (2, 1), (4, 2), (6, 3), (3, 3)][int(rng.integers(0, 5))]
    size = int(rng.choice([16, 32]))
    kind = rng.choice(["prompt", "prompt", "token", "token", "chunk", "padded"])
    batch = 1 if kind == "chunk" else int(rng.integers(1, 4))
    causal = kind in ("chunk", "padded") or rng.random() < 0.85
    query_lengths = None
    if kind == "prompt":
        queries, past = int(rng.integers(2, 60)), int(rng.choice([0, 0, 64]))
        total, lengths = queries, np.full(batch, queries - 1)
    elif kind == "token":
        queries, past = 1, int(rng.integers(4, 20))
        keys = rng.integers(2, past + 2, batch)
        total, lengths = int(keys.max()), keys - 1
        total = max(total, 2)
        if total <= past and rng.random() < 0.5:
            total = int(rng.integers(total, past + 1))
    elif kind == "chunk":
        queries, room = int(rng.integers(2, 6)), int(rng.integers(0, 5))
        before = int(rng.integers(1, 20))
        total = before + queries
        past, lengths = before if room == 0 else total + room, np.array([total - 1])
    else:
        queries, past = int(rng.integers(2, 6)), 24
        valid = rng.integers(1, queries + 1, batch)
        valid[:] = queries  # what padding gives is not specified
        before = rng.integers(0, past - 2 * queries, batch)
        lengths, total, query_lengths = before + valid - 1, past, valid.astype(np.int32)
    packed = rng.random() < 0.4
    rotary = rng.random() < 0.5
    window = int(rng.integers(1, 12)) if causal and rng.random() < 0.4 else None
    if packed:
        projected = [_floats(rng, batch, queries, (heads + 2 * key_heads) * size), None, None]
    else:
        projected = [_floats(rng, batch, queries, heads * size)] + [_floats(rng, batch, queries, key_heads * size) for _ in range(2)]
    cache_rows, half = max(total, past) + 3, size // 2 if rng.random() < 0.7 else 8
    angles = rng.uniform(0, 6, (cache_rows, half))
    positions = _maybe(rng, rng.integers(0, cache_rows - queries + 1, (batch, queries)), 0.2) if rotary and kind != "padded" else None
    caches = [_floats(rng, batch, key_heads, past, size) if past else None for _ in range(2)]
    bias = _maybe(rng, _score_bias(rng, batch, heads, queries, total), 0.3) if kind != "padded" else None
    inputs = projected + caches + [lengths.astype(np.int32), np.array(total, np.int32).reshape([1] if rng.random() < 0.5 else []),
                                   np.cos(angles).astype(np.float32) if rotary else None,
                                   np.sin(angles).astype(np.float32) if rotary else None, positions, bias,
                                   _maybe(rng, _floats(rng, heads), 0.3), None, None, None, None, query_lengths]
    has_output_qk = kind != "padded" and rng.random() < 0.3
    attributes = {"num_heads": heads, "kv_num_heads": key_heads, "scale": _maybe(rng, float(rng.uniform(0.1, 1)), 0.3),
                  "softcap": _maybe(rng, float(rng.uniform(0.5, 5)), 0.3), "do_rotary": int(rotary),
                  "rotary_interleaved": int(rng.integers(0, 2)), "local_window_size": window,
                  "smooth_softmax": _maybe(rng, int(rng.integers(0, 2)), 0.3), "causal": None if causal else 0,
                  "qk_output": int(rng.integers(1, 3)) if has_output_qk else None}
    return _case(attributes, inputs, 4 if has_output_qk else 3, [6] if rng.random() < 0.5 else [])


def rotary_embedding(rng):
    """Positions for each token or for the first one, whole heads or their beginning."""
    batch, tokens, heads = int(rng.integers(1, 4)), int(rng.integers(1, 12)), int(rng.integers(1, 5))
    half = int(rng.integers(1, 9))
    partial = rng.random() < 0.4
    size = 2 * half + (int(rng.integers(0, 5)) * 2 if partial else 0)
    heads_first = rng.random() < 0.4
    rows = tokens + int(rng.integers(1, 20))
    if rng.random() < 0.5:
        positions = np.array([rng.integers(0, rows - tokens + 1)], np.int64)
    else:
        positions = rng.integers(0, rows, (batch, tokens)).astype(np.int64)
    shape = (batch, heads, tokens, size) if heads_first else (batch, tokens, heads * size)
    attributes = {"interleaved": int(rng.integers(0, 2)), "num_heads": heads if partial else None,
                  "rotary_embedding_dim": 2 * half if partial else None}
    return _case(attributes, [_floats(rng, *shape), positions, _floats(rng, rows, half), _floats(rng, rows, half)])


def matmul_nbits(rng):
    """Weights of 2, 4 and 8 bits, zero points packed, as floats or none."""
    bits, block = int(rng.choice([2, 4, 4, 4, 8])), int(rng.choice([16, 32, 64, 128]))
    depth, columns = int(rng.integers(1, 500)), int(rng.integers(1, 300))
    if rng.random() < 0.3:
        depth = block * int(rng.integers(1, 5))
    rows = [int(rng.choice([1, 2, 4, 5, 17, 100]))]
    if rng.random() < 0.3:
        rows = [2] + rows
    blocks = -(-depth // block)
    zero_kind = rng.choice(["none", "packed", "floats"] if bits < 8 else ["none", "packed"])
    zeros = None
    if zero_kind == "packed":
        zeros = rng.integers(0, 256, (columns, -(-blocks * bits // 8))).astype(np.uint8)
    elif zero_kind == "floats":
        zeros = _floats(rng, columns, blocks, scale=3)
    groups = _ints(rng, 0, blocks, depth) if bits == 4 and zero_kind == "none" and rng.random() < 0.2 else None
    step = depth**-0.5 / 2**bits
    attributes = {"K": depth, "N": columns, "bits": bits, "block_size": block, "accuracy_level": _maybe(rng, 1, 0.3)}
    inputs = [_floats(rng, *rows, depth), rng.integers(0, 256, (columns, blocks, block * bits // 8)).astype(np.uint8),
              _floats(rng, columns, blocks, scale=step), zeros, groups, _maybe(rng, _floats(rng, columns), 0.3)]
    return _case(attributes, inputs, 1, [1, 2, 3] if rng.random() < 0.5 else [], (1e-4, 5e-5))


def dynamic_quantize_lstm(rng):
    """Weights of bytes, one scale or one for each column, one direction or two."""
    direction = str(rng.choice(["forward", "reverse", "bidirectional"]))
    directions = 2 if direction == "bidirectional" else 1
    steps, batch, width, hidden = (int(rng.integers(1, 7)) for _ in range(4))
    of_weights = rng.choice([np.uint8, np.int8])
    info = np.iinfo(of_weights)
    per_column = rng.random() < 0.5

    def weights(depth):
        shape = (directions, 4 * hidden) if per_column else (directions,)
        if of_weights == np.int8:
            zero = np.zeros(shape, of_weights)
        else:
            zero = np.full(shape, rng.integers(110, 140)).astype(of_weights)
        return (rng.integers(info.min, info.max + 1, (directions, depth, 4 * hidden)).astype(of_weights),
                rng.uniform(0.001, 0.01, shape).astype(np.float32), zero)

    w, w_scale, w_zero = weights(width)
    r, r_scale, r_zero = weights(hidden)
    inputs = [_floats(rng, steps, batch, width), w, r, _maybe(rng, _floats(rng, directions, 8 * hidden)), _maybe(rng, _ints(rng, 1, steps + 1, batch), 0.3),
              _maybe(rng, _floats(rng, directions, batch, hidden, scale=0.3), 0.4), _maybe(rng, _floats(rng, directions, batch, hidden), 0.4),
              _maybe(rng, _floats(rng, directions, 3 * hidden), 0.3), w_scale, w_zero, r_scale, r_zero]
    attributes = {"hidden_size": hidden, "direction": direction, "clip": _maybe(rng, float(rng.uniform(1, 3)), 0.2),
                  "input_forget": _maybe(rng, 0, 0.2)}
    # A value on the edge between two bytes may fall to either side; states of samples that have ended count differently for the scale.
    return _case(attributes, inputs, 3, [1, 2, 8, 9, 10, 11], (1e-3, 2e-3) if inputs[4] is None else (1e-2, 2e-2))


CASES = {
    "com.microsoft.Attention": attention,
    "com.microsoft.DynamicQuantizeLSTM": dynamic_quantize_lstm,
    "com.microsoft.GroupQueryAttention": group_query_attention,
    "com.microsoft.MatMulNBits": matmul_nbits,
    "com.microsoft.MultiHeadAttention": multi_head_attention,
    "com.microsoft.QAttention": qattention,
    "com.microsoft.RotaryEmbedding": rotary_embedding,
}
