"""Products of matrices."""

import numpy as np

from operators.draw import alike, chance, elements, floats, integers, opset, pick, shape, size, some

SUM = {"float32": (2e-5, 1e-4), "float16": (1e-2, 5e-2)}  # of up to ninety products


def matmul_shapes(rng, zero=0.03):
    m, k, n = (size(rng, 90 if chance(rng, 0.15) else 9, zero) for _ in range(3))
    batch = shape(rng, 0, 2, 4, zero)
    a, b = alike(rng, batch) + [m, k], alike(rng, batch) + [k, n]
    if len(a) == 2 and chance(rng, 0.1):
        a = [k]
    if len(b) == 2 and chance(rng, 0.1):
        b = [k]
    return a, b


def matmul(rng):
    a, b = matmul_shapes(rng)
    dtype = pick(rng, ("float32",) * 4 + ("float64", "float16", "int32", "int64", "uint32", "uint64"))
    return {"opset": opset(rng, "MatMul"), "inputs": [elements(rng, a, dtype), elements(rng, b, dtype)], "constants": some(rng, [0, 1], 0.3),
            "tolerance": SUM.get(dtype)}


def gemm(rng):
    version = opset(rng, "Gemm")
    m, k, n = (size(rng, 90 if chance(rng, 0.15) else 9, 0.02) for _ in range(3))
    dtype = pick(rng, ("float32",) * 4 + ("float64", "float16"))
    given = {name: int(rng.integers(2)) for name in ("transA", "transB") if chance(rng, 0.7)}
    given |= {name: float(rng.uniform(-2, 2)) for name in ("alpha", "beta") if chance(rng, 0.5)}
    a = [k, m] if given.get("transA") else [m, k]
    b = [n, k] if given.get("transB") else [k, n]
    inputs = [elements(rng, a, dtype), elements(rng, b, dtype)]
    if version < 11 or chance(rng, 0.7):
        inputs.append(elements(rng, alike(rng, [m, n]), dtype))
    return {"opset": version, "node_attributes": given, "inputs": inputs, "constants": some(rng, range(3), 0.3), "tolerance": SUM.get(dtype)}


def einsum(rng):
    sizes = {letter: size(rng, 4) for letter in "abcdefgh"}
    count = int(rng.integers(1, 4))
    ellipsis = chance(rng, 0.25)
    lead = shape(rng, 0, 2, 3, 0.0)
    spread = chance(rng, 0.15)
    terms, values = [], []
    dtype = pick(rng, ("float32", "float32", "float64", "int32", "int64"))
    pool = list(rng.permutation(list(sizes))[:int(rng.integers(2, 6))])
    for _ in range(count):
        letters = [str(c) for c in rng.permutation(pool)[:int(rng.integers(0 if ellipsis else 1, 4))]]
        if letters and chance(rng, 0.15):
            letters.append(pick(rng, letters))
        dims = [sizes[c] for c in letters]
        at = int(rng.integers(len(letters) + 1))
        if ellipsis and chance(rng, 0.7):
            terms.append("".join(letters[:at]) + "..." + "".join(letters[at:]))
            dims = dims[:at] + (alike(rng, lead) if spread else [1 if chance(rng, 0.3) else n for n in lead]) + dims[at:]
        else:
            terms.append("".join(letters))
        values.append(elements(rng, dims, dtype) if np.dtype(dtype).kind == "f" else integers(rng, dims, dtype, -3, 3))
    equation = (", " if chance(rng, 0.2) else ",").join(terms)
    if chance(rng, 0.75):
        seen = [c for c in dict.fromkeys("".join(terms)) if c.isalpha()]
        kept = [str(c) for c in rng.permutation(seen)[:int(rng.integers(0, len(seen) + 1))]] if seen else []
        equation += (" -> " if chance(rng, 0.2) else "->") + ("..." if "..." in "".join(terms) else "") + "".join(kept)
    return {"opset": opset(rng, "Einsum"), "node_attributes": {"equation": equation}, "inputs": values,
            "tolerance": (2e-5, 1e-4) if dtype == "float32" else None}


def det(rng):
    n = size(rng, 6)
    return {"opset": opset(rng, "Det"), "inputs": [floats(rng, shape(rng, 0, 2, 4, 0.03) + [n, n], pick(rng, ["float32", "float64"]))],
            "tolerance": (1e-4, 1e-3)}


def zero_point(rng, dims, dtype):
    """An input for a zero point, or None."""
    return integers(rng, dims, dtype, 0, 120) if chance(rng, 0.7) else None


def matmul_integer(rng):
    a, b = matmul_shapes(rng, 0.0)
    types = pick(rng, [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8"), ("int8", "uint8")])
    inputs = [integers(rng, a, types[0], -128, 255), integers(rng, b, types[1], -128, 255), zero_point(rng, [], types[0])]
    per_column = len(b) == 2 and chance(rng, 0.4)
    inputs.append(zero_point(rng, [b[-1]] if per_column else [], types[1]))
    while inputs[-1] is None:
        inputs.pop()
    return {"opset": opset(rng, "MatMulInteger"), "inputs": inputs, "constants": some(rng, range(4), 0.4)}


CASES = {
    "Det": det,
    "Einsum": einsum,
    "Gemm": gemm,
    "MatMul": matmul,
    "MatMulInteger": matmul_integer,
}
