"""Operators of text."""

import numpy as np

from operators.draw import alike, chance, integers, opset, pick, shape, size, some

WORDS = ["the", "Cat", "SAT", "", "é", "É", "naïve", "mat", "ß", "日本", "on"]


def words(rng, dims):
    return np.asarray(np.array(WORDS, object)[rng.integers(0, len(WORDS), dims)], object)


def string_concat(rng):
    full = shape(rng, 0, 3)
    return {"opset": opset(rng, "StringConcat"), "inputs": [words(rng, alike(rng, full)), words(rng, alike(rng, full))],
            "constants": some(rng, [0, 1], 0.2)}


def string_split(rng):
    separators = [None, "", " ", ",", "--", "é"]
    separator = pick(rng, separators)
    joints = [" ", "  ", ",", "--", "é", "-"]
    dims = shape(rng, 1, 2, 4, 0.0)

    def sentence():
        return "".join(pick(rng, WORDS) + pick(rng, joints) for _ in range(int(rng.integers(0, 4)))) + pick(rng, ["", "x", "x", "x"])

    values = np.array([sentence() for _ in range(int(np.prod(dims)))], object)
    given = {"delimiter": separator} | ({"maxsplit": int(rng.integers(0, 3))} if chance(rng, 0.4) else {})
    return {"opset": opset(rng, "StringSplit"), "node_attributes": given, "inputs": [values.reshape(dims)], "outputs": 2}


def string_normalizer(rng):
    plain = ["the", "Cat", "SAT", "mat", "on", "ON"]
    dims = [size(rng, 5)] if chance(rng, 0.5) else [1, size(rng, 5)]
    value = np.asarray(np.array(plain, object)[rng.integers(0, len(plain), dims)], object)
    given = {"case_change_action": pick(rng, ["NONE", "LOWER", "UPPER"])} if chance(rng, 0.8) else {}
    given |= {"locale": pick(rng, ["C", "C.UTF-8"])} if chance(rng, 0.9) else {}
    given |= {"is_case_sensitive": int(rng.integers(2))} if chance(rng, 0.6) else {}
    given |= {"stopwords": [pick(rng, plain) for _ in range(size(rng, 3))]} if chance(rng, 0.6) else {}
    return {"opset": opset(rng, "StringNormalizer"), "node_attributes": given, "inputs": [value]}


def tfidf(rng):
    strings = chance(rng, 0.3)
    vocabulary = ["a", "b", "c", "d"] if strings else [1, 2, 3, 4]
    most = size(rng, 3)
    pool, starts, grams = [], [], 0
    for n in range(1, most + 1):
        starts.append(len(pool))
        seen = set()
        for _ in range(size(rng, 4)):
            gram = tuple(pick(rng, vocabulary) for _ in range(n))
            if gram not in seen:
                seen.add(gram)
                pool += gram
                grams += 1
    low = int(rng.integers(1, most + 1))
    given = {"mode": pick(rng, ["TF", "IDF", "TFIDF"]), "min_gram_length": low, "max_gram_length": most, "max_skip_count": int(rng.integers(0, 3)),
             "ngram_counts": starts,
             "ngram_indexes": [int(i) for i in rng.permutation(grams)], "pool_strings" if strings else "pool_int64s": pool}
    given |= {"weights": [float(w) for w in rng.uniform(0.5, 2, grams)]} if chance(rng, 0.5) else {}
    dims = [size(rng, 7)] if chance(rng, 0.5) else [size(rng, 3), size(rng, 7)]
    value = integers(rng, dims, pick(rng, ["int32", "int64"]), 1, 4)
    if strings:
        value = np.asarray(np.array(vocabulary, object)[value - 1], object)
    return {"opset": opset(rng, "TfIdfVectorizer"), "node_attributes": given, "inputs": [value]}


CASES = {
    "StringConcat": string_concat,
    "StringNormalizer": string_normalizer,
    "StringSplit": string_split,
    "TfIdfVectorizer": tfidf,
}
