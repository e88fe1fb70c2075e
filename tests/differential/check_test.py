#!/usr/bin/env python3
"""Holds sardonyx's checker to onnx.checker: the same verdict on sound models and on damaged ones.

usage: check_test.py --tool build/bin/check_driver [--archive FILE] [--folder build/backend-tests] [--more FOLDER] [--seed N] [--models N]

1. Every model of ONNX's backend tests and of the folder --more (Debian's libonnx-testdata): equal verdicts, plain and full.
2. At least --models damaged ones, made by the mutations of check_models.py from the corpus and from made models: equal verdicts, plain and
   full. Disagreements are counted by rule; one that no rule of STRICTER or LAXER lists is a failure, and so is a share of 1 % or more.
   That share depends on the mix: what is in RARE is tried RARE_TRIES times only (docs/checks.md tells the share with equal tries).
   What onnx refuses and sardonyx accepts must load in ONNX Runtime.
3. Files with external data: equal verdicts, for sound and for damaged references.
The seed is printed. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""
import argparse
import collections
import json
import os
import random
import re
import struct
import sys
import tempfile

from model_test import Driver, Tally, files_of, read, unpacked

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from check_models import MUTATIONS, RARE, made_models

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = "/usr/share/libonnx-testdata"
RARE_TRIES = 3
LARGEST_BASE = 6000  # bytes

# Where sardonyx rejects and onnx accepts: (code, mutations or None for any, reason). Every code found in a model must be listed. docs/checks.md
# tells the same.
STRICTER = (
    ("attribute-reference", ("reference_outside_function",), "onnx.proto forbids references outside functions: there is nothing to refer to"),
    ("function-opset", ("opset_of_nothing",), "onnx looks at a function's own nodes alone, not at those of its subgraphs"),
    ("input-count", ("call_with_more_inputs", "add_node_input", "drop_node_input", "leave_out_node_input"),
     "a function is called with more inputs than it has, or without one that it needs; or one of a variadic operator's inputs is left out"),
    ("operator-unknown", ("misspell_operator", "other_operator", "opset_of_nothing"), "onnx lets ai.onnx.preview and ai.onnx.preview.training have any operator"),
    ("opset-duplicate", ("duplicate_opset",), "which of the two versions counts is left open"),
    ("opset-version", ("opset_of_the_future", "opset_of_nothing"), "what operators mean in a version that does not exist yet is not known"),
    ("output-undefined", ("function_output_of_nothing", "leave_out_node_output", "rename_node_output", "drop_node", "drop_node_output"),
     "a function's output is made by nothing"),
    ("output-count", ("add_node_output",), "a function is called for more outputs than it has"),
    ("tensor-data", ("cut_data", "other_dims"), "onnx does not count the elements of types of 8 bits and more; runtimes refuse or read beyond the data"),
    ("tensor-type", ("unknown_tensor_type",), "raw_data of a type that does not exist"),
    ("type-missing", ("unknown_element_type",), "an element type that does not exist, or UNDEFINED written out"),
)
# Where onnx rejects and sardonyx accepts: (pattern of onnx's message, mutations or None, reason).
LAXER = (
    (r"No opset import for domain 'ai\.onnx'", ("domain_spelled_out",), "'ai.onnx' and '' are the same domain; runtimes take both"),
    (r"No opset import for domain ''", ("import_spelled_out",), "the same"),
    (r"sparse_tensor", None, "a sparse initializer is a tensor that is stored sparsely; nearly no operator takes sparse tensors"),
    (r"output has unsupported type", None, "a type that the operator makes since a later opset only; runtimes have it for all"),
    (r"MeanVarianceNormalization.*One and only one of the attributes", None, "onnx does not give its function's body the default of 'axes'"),
)
# The same, where the model has operators that neither onnx nor ONNX Runtime knows.
LAXER_CUSTOM = (
    (r"Input 0 expected to have type but instead is null|Mismatched type: inferred=\d+ declared=\d+", ("custom_domain", "drop_function", "other_operator"),
     "types of operators that are not known are not known; what depends on them is no contradiction"),
)
# What inference alone finds: it follows more than onnx's. Each must be confirmed by running the model.
INFERRED = {"inference", "shape-mismatch", "type-mismatch", "initializer-mismatch"}


CRASH = "crash"


def onnx_refusals(models, full):
    """For each model (bytes) or file None, why onnx.checker refuses it, or CRASH: it runs in a process of its own, since it may abort."""
    answers = []
    while len(answers) < len(models):
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)  # its warnings
            os.dup2(nothing, 2)
            with os.fdopen(into, "w") as pipe:
                for model in models[len(answers):]:
                    pipe.write(json.dumps(onnx_refusal(model, full)) + "\n")
                    pipe.flush()
            os._exit(0)
        os.close(into)
        with os.fdopen(out) as pipe:
            answers += [json.loads(line) for line in pipe]
        os.waitpid(child, 0)
        if len(answers) < len(models):
            answers.append(CRASH)
    return answers


def onnx_refusal(model, full):
    """None, or why onnx.checker refuses bytes or a file."""
    try:
        onnx.checker.check_model(model, full_check=full)
    except Exception as error:
        return str(error) or type(error).__name__
    return None


def ours(driver, verb, content):
    """[(is valid, structural codes, codes of inference)]"""
    driver.put("in", content)
    answer, error = driver.bytes_after(verb, driver.path("in"))
    if error:
        raise RuntimeError(error)
    verdicts = []
    for line in answer.decode(errors="replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "unreadable":
            verdicts.append((False, {"unreadable"}, set()))
        else:
            codes = rest.split()
            verdicts.append((word == "valid", {c for c in codes if c[0] != "!"}, {c[1:] for c in codes if c[0] == "!"}))
    return verdicts


def bundle(models):
    return b"".join(struct.pack("<I", len(m)) + m for m in models)


def session(model):
    """ONNX Runtime's session, or None where it refuses the model."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception:
        return None


def loads(model):
    return session(model) is not None


ELEMENTS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
            "tensor(float16)": np.float16, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}


def breaks(model):
    """Whether ONNX Runtime refuses to load the model or to run it on ones, or gives other shapes or types than are declared."""
    loaded = session(model)
    if loaded is None:
        return True
    sizes = lambda value: [2 if not isinstance(d, int) else d for d in value.shape]
    feeds = {v.name: np.ones(sizes(v), ELEMENTS[v.type]) for v in loaded.get_inputs() if v.type in ELEMENTS}
    try:
        results = loaded.run(None, feeds)
    except Exception:
        return True
    declared = [v.type.tensor_type for v in onnx.ModelProto.FromString(model).graph.output]
    for result, tensor in zip(results, declared):
        expected = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
        if isinstance(result, np.ndarray) and result.dtype == np.float32 and tensor.elem_type != TensorProto.FLOAT:
            return True
        if isinstance(result, np.ndarray) and (result.ndim != len(expected) or any(e not in (None, d) for d, e in zip(result.shape, expected))):
            return True
    return False


class Comparison:
    def __init__(self, driver, tally):
        self.driver, self.tally = driver, tally
        self.disagreements = collections.Counter()
        self.compared = collections.Counter()
        self.crashes = collections.Counter()

    def listed(self, mutation, codes, refusal, model):
        """The rule that explains a disagreement, or None."""
        if refusal is None:
            if codes <= INFERRED:
                return "inference, confirmed by running" if breaks(model) else None
            codes = codes - INFERRED
            rules = [next((r for r in STRICTER if r[0] == code and (r[1] is None or mutation in r[1])), None) for code in codes]
            return ", ".join(sorted({r[0] for r in rules})) if rules and all(rules) else None
        for rule in LAXER + LAXER_CUSTOM:
            if re.search(rule[0], refusal, re.S) and (rule[1] is None or mutation in rule[1]):
                return rule[0] if rule in LAXER_CUSTOM or loads(model) else None
        return None

    def compare(self, group, name, mutation, model, refusal, codes):
        """One verdict; what is listed counts as a disagreement, not as a failure."""
        self.compared[group] += 1
        if refusal == CRASH:
            self.crashes[group] += 1
            return
        if (refusal is None) == (not codes):
            self.tally.check(group, name, True)
            return
        rule = self.listed(mutation, codes, refusal, model)
        if rule is None:
            why = f"onnx says {refusal[:300]!r}, sardonyx nothing" if refusal else f"sardonyx says {sorted(codes)}, onnx nothing"
            self.tally.check(group, name, False, why)
            return
        self.disagreements[group, "onnx accepts" if refusal is None else "sardonyx accepts", rule] += 1

    def both(self, group, names, mutations, models):
        plain, full = onnx_refusals(models, False), onnx_refusals(models, True)
        for name, mutation, model, p, f, (_, structural, inferred) in zip(names, mutations, models, plain, full,
                                                                          ours(self.driver, "bundle", bundle(models))):
            self.compare(f"{group}, structure", name, mutation, model, p, structural)
            self.compare(f"{group}, full", name, mutation, model, f, structural | inferred)

    def report(self):
        for (group, side, rule), count in sorted(self.disagreements.items()):
            print(f"{group}: {side}: {rule}: {count}")
        for group, count in self.crashes.items():
            print(f"{group}: onnx.checker aborts on {count}")
        for group, count in self.compared.items():
            apart = sum(n for (g, _, _), n in self.disagreements.items() if g == group)
            print(f"{group}: {count} verdicts, {apart} listed disagreements ({100 * apart / count:.2f} %)")
            self.tally.check("share of disagreements", group, apart < 0.01 * count, f"{apart} of {count}")


def compare_corpora(comparison, folders):
    for folder in folders:
        paths = files_of(folder, ".onnx")
        if not paths:
            comparison.tally.skip(folder, "no models")
            continue
        models = [read(path) for path in paths]
        comparison.both(os.path.basename(folder), paths, [None] * len(paths), models)


def bases(folders):
    models = [onnx.ModelProto.FromString(read(path)) for folder in folders for path in files_of(folder, ".onnx")
              if os.path.getsize(path) <= LARGEST_BASE]
    return models, made_models()


def damaged(rng, corpus, made, count):
    """(name, mutation, bytes): each mutation about equally often, from a corpus model or a made one."""
    frequent = [name for name in MUTATIONS if name not in RARE]
    per_mutation = -(-count // len(frequent))
    for name, mutate in MUTATIONS.items():
        wanted, tries = (RARE_TRIES if name in RARE else per_mutation), 0
        while wanted > 0 and tries < 60 * per_mutation:
            tries += 1
            base = rng.choice(made if name in RARE or not corpus or tries % 5 == 0 else corpus)
            model = onnx.ModelProto()
            model.CopyFrom(base)
            if mutate(rng, model):
                wanted -= 1
                yield f"{name} of {model.graph.name} #{wanted}", name, model.SerializeToString()


def compare_damaged(comparison, folders, seed, count):
    print(f"seed {seed}")
    rng = random.Random(seed)
    corpus, made = bases(folders)
    comparison.both("made, sound", [m.graph.name for m in made], [None] * len(made), [m.SerializeToString() for m in made])
    names, mutations, models = zip(*damaged(rng, corpus, made, count))
    comparison.both("damaged", names, mutations, models)
    comparison.tally.check("number of damaged models", "", len(models) >= count, f"{len(models)}")


def external_model(entries, dims=(4,)):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in entries:
        tensor.external_data.add(key=key, value=value)
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, (4,))
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "external", [info("x")], [info("y")], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def compare_external(comparison):
    """(name, entries, whether both agree); files lie in the folder `model`."""
    group, tally = "external data", comparison.tally
    folder = comparison.driver.path("model")
    os.makedirs(os.path.join(folder, "sub"))
    for place in ("model/w.bin", "outside.bin", "model/sub/w.bin"):
        comparison.driver.put(place, np.arange(4, dtype=np.float32).tobytes())
    os.symlink("../outside.bin", os.path.join(folder, "link.bin"))
    os.symlink("w.bin", os.path.join(folder, "inner.bin"))
    os.link(os.path.join(folder, "sub/w.bin"), os.path.join(folder, "hard.bin"))
    cases = {
        "whole file": [("location", "w.bin")], "part": [("location", "w.bin"), ("offset", "0"), ("length", "16")],
        "no location": [], "no such file": [("location", "nothing.bin")], "empty": [("location", "")],
        "above": [("location", "../outside.bin")], "absolute": [("location", os.path.join(comparison.driver.folder, "outside.bin"))],
        "link out of the folder": [("location", "link.bin")], "folder": [("location", "sub")],
    }
    # onnx does not look at these: it only finds out when the data are loaded.
    ours_alone = {"too short": [("location", "w.bin"), ("offset", "4")], "beyond the end": [("location", "w.bin"), ("offset", "1000")],
                  "wrong length": [("location", "w.bin"), ("length", "12")], "no number": [("location", "w.bin"), ("offset", "x")]}
    # Refused by onnx; the file lies in the folder all the same.
    onnx_alone = {"link within the folder": [("location", "inner.bin")], "hard link": [("location", "hard.bin")]}
    paths = []
    for name, entries in {**cases, **ours_alone, **onnx_alone}.items():
        paths.append(comparison.driver.put(f"model/{name}.onnx", external_model(entries)))
    verdicts = ours(comparison.driver, "files", "\n".join(paths).encode())
    for path, (valid, codes, _) in zip(paths, verdicts):
        name = os.path.basename(path)[:-len(".onnx")]
        if name in ours_alone:
            tally.check(group, name, not valid and codes & {"tensor-external", "tensor-data"}, f"sardonyx says {codes}")
        elif name in onnx_alone:
            tally.check(group, name, valid and loads(path), f"sardonyx says {codes}, or ONNX Runtime refuses it")
        else:
            refusal = onnx_refusals([path], True)[0]
            tally.check(group, name, valid == (refusal is None), f"onnx says {refusal}, sardonyx {codes}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--archive", default=os.path.join(ROOT, "../shared/data/onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build/backend-tests"))
    parser.add_argument("--more", default=MORE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", type=int, default=9000)
    arguments = parser.parse_args()
    tally = Tally()
    folders = [f for f in (unpacked(arguments.archive, arguments.folder, tally), arguments.more) if f and os.path.isdir(f)]
    if arguments.more not in folders:
        tally.skip(arguments.more, "absent")
    with tempfile.TemporaryDirectory() as scratch:
        comparison = Comparison(Driver(arguments.tool, scratch), tally)
        compare_corpora(comparison, folders)
        compare_damaged(comparison, folders, arguments.seed, arguments.models)
        compare_external(comparison)
        comparison.report()
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
