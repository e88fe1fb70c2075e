#!/usr/bin/env python3
"""Holds sardonyx's checker to onnx.checker: the same verdict on sound models and on damaged ones.

usage: check_test.py --tool build/bin/check_driver [--archive FILE] [--folder build/backend-tests] [--more FOLDER] [--seed N] [--models N]

1. Every model of ONNX's backend tests and of the folder --more (Debian's libonnx-testdata): equal verdicts, plain and full.
2. At least --models damaged ones, made by the mutations of check_models.py from the corpus and from made models, as many by each mutation as
   by any other: equal verdicts, plain and full. Disagreements are counted by rule; one that no rule of STRICTER, INSTEAD or LAXER lists is a
   failure, and so is a share of 1 % or more. What onnx refuses and sardonyx accepts must load in ONNX Runtime; contradictions that
   sardonyx's inference alone finds must show when ONNX Runtime runs the model.
   A verdict is whether a model is valid. Of those that both find valid, sardonyx says of some that they cannot be run: ONNX Runtime
   must refuse these or fail to run them, but for what UNREFUSED lists.
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

from check_models import MUTATIONS, has_future_opset, has_odd_ceil_mode, has_unknown_operator, has_unused_constant, made_models

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = "/usr/share/libonnx-testdata"
LARGEST_BASE = 6000  # bytes
CRASH = "crash"

# Where sardonyx rejects and onnx accepts: (code, mutations or None for any, reason). Every code found in a model must be listed. docs/checks.md
# tells the same.
STRICTER = (
    ("function-opset", ("opset_of_nothing",), "onnx does not compare with an opset of the model that does not exist"),
    ("inference", ("reference_outside_function",), "the empty value that is left of the attribute is none that the operator takes"),
)
# Where onnx rejects under full check alone, and sardonyx says that the model is valid but cannot be run: (pattern of onnx's message, reason).
INSTEAD = (
    (r"Data size mismatch", "onnx counts the elements of tensors that its inference reads, of no others"),
    (r"Input \d+ expected to have type but instead is null|Input type for input at index \d+ is null|Scan input \d+ was not a tensor",
     "an input that is left out of a call or of a variadic operator: onnx's inference notes it where the output's type depends on it"),
    (r"expect a float", "a reference outside functions as the argument of a call"),
    (r"Invalid tensor data type 77", "a tensor of a type that does not exist, where inference does not look at it"),
)
REFUSED, BREAKS, LOADS, ANY = {"refused", CRASH}, {"refused", "broken", CRASH}, {"broken", "runs"}, {"refused", "broken", "runs", CRASH}
# Where onnx rejects and sardonyx accepts: (pattern of onnx's message, of which models or None for all, what ONNX Runtime must do, reason).
LAXER = (
    (r"MeanVarianceNormalization.*One and only one of the attributes", has_future_opset, ANY, "as below; ONNX Runtime refuses the opset"),
    (r"MeanVarianceNormalization.*One and only one of the attributes", None, LOADS, "onnx does not give its function's body the default of 'axes'"),
    (r"op_type:(?:Average|Max|Lp)Pool.*Inferred shape and existing shape differ", has_odd_ceil_mode, LOADS,
     "onnx takes a ceil_mode that is neither 0 nor 1 for 0, runtimes take it for 1"),
    (r"Input \d+ expected to have type but instead is null|Mismatched type: inferred=\d+ declared=\d+|subgraph outputs should all be tensors", has_unknown_operator, ANY,
     "types of operators that are not known are not known; what depends on them is no contradiction. ONNX Runtime does not know the operators either"),
)
# What keeps a model from running in sardonyx's eyes, though ONNX Runtime loads it: (code, of which models or None for all, reason).
UNREFUSED = (
    ("attribute-reference", None,
     "ONNX Runtime takes 0 or nothing for the attribute, whatever its default; onnx's reference evaluator and sardonyx refuse it"),
    ("tensor-data", has_unused_constant, "ONNX Runtime does not look at a Constant that nothing uses"),
    ("tensor-type", has_unused_constant, "the same"),
)
# What inference alone finds: it follows more than onnx's. Each must be confirmed by running the model.
INFERRED = {"inference", "shape-mismatch", "type-mismatch", "initializer-mismatch"}


def in_processes(question, items):
    """question(item) for each item, or CRASH: it is asked in a process of its own, since it may abort."""
    answers = []
    while len(answers) < len(items):
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)  # its warnings
            os.dup2(nothing, 2)
            with os.fdopen(into, "w") as pipe:
                for item in items[len(answers):]:
                    pipe.write(json.dumps(question(item)) + "\n")
                    pipe.flush()
            os._exit(0)
        os.close(into)
        with os.fdopen(out) as pipe:
            answers += [json.loads(line) for line in pipe]
        os.waitpid(child, 0)
        if len(answers) < len(items):
            answers.append(CRASH)
    return answers


def onnx_refusals(models, full):
    """For each model (bytes) or file None, why onnx.checker refuses it, or CRASH."""
    return in_processes(lambda model: onnx_refusal(model, full), models)


def onnx_refusal(model, full):
    """None, or why onnx.checker refuses bytes or a file."""
    try:
        onnx.checker.check_model(model, full_check=full)
    except Exception as error:
        return str(error) or type(error).__name__
    return None


def ours(driver, verb, content):
    """[(structural codes, codes of inference, codes of what keeps the model from running)]"""
    driver.put("in", content)
    answer, error = driver.bytes_after(verb, driver.path("in"))
    if error:
        raise RuntimeError(error)
    verdicts = []
    for line in answer.decode(errors="replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "unreadable":
            verdicts.append(({"unreadable"}, set(), set()))
        else:
            codes = rest.split()
            marked = lambda mark: {c[1:] for c in codes if c[0] == mark}
            verdicts.append(({c for c in codes if c[0] not in "!~"}, marked("!"), marked("~")))
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


ELEMENTS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
            "tensor(float16)": np.float16, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}


def fate(model):
    """What ONNX Runtime does with a model: "refused"; "broken" if it loads, but not runs on ones, or gives other shapes or types than declared;
    "runs"."""
    loaded = session(model)
    if loaded is None:
        return "refused"
    sizes = lambda value: [2 if not isinstance(d, int) else d for d in value.shape]
    feeds = {v.name: np.ones(sizes(v), ELEMENTS[v.type]) for v in loaded.get_inputs() if v.type in ELEMENTS}
    try:
        results = loaded.run(None, feeds)
    except Exception:
        return "broken"
    declared = [v.type.tensor_type for v in onnx.ModelProto.FromString(model).graph.output]
    for result, tensor in zip(results, declared):
        expected = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
        known = isinstance(result, np.ndarray) and result.dtype in ELEMENTS.values() and result.dtype != np.uint8  # which stands for others too
        if known and tensor.elem_type and helper.tensor_dtype_to_np_dtype(tensor.elem_type) != result.dtype:
            return "broken"
        if isinstance(result, np.ndarray) and (result.ndim != len(expected) or any(e not in (None, d) for d, e in zip(result.shape, expected))):
            return "broken"
    return "runs"


def confirming(unrunnable, model):
    """The fates that confirm that a model cannot be run."""
    if all(any(code == u and (fits is None or fits(onnx.ModelProto.FromString(model))) for u, fits, _ in UNREFUSED) for code in unrunnable):
        return ANY
    return BREAKS if "input-count" in unrunnable else REFUSED  # Concat of an input that is left out only fails when it runs


class Comparison:
    def __init__(self, driver, tally):
        self.driver, self.tally = driver, tally
        self.disagreements = collections.Counter()
        self.compared = collections.Counter()
        self.crashes = collections.Counter()
        self.unrunnable = collections.Counter()
        self.open = []  # what ONNX Runtime must confirm: (group, name, model, fates that do, what is said, counter and its key)

    def listed(self, mutation, model, codes, unrunnable, refusal):
        """(the rule that explains a disagreement, the fates in ONNX Runtime that confirm it), or None."""
        if refusal is None:
            if codes <= INFERRED and not any(code in codes and mutation in (where or ()) for code, where, _ in STRICTER):
                return "inference, confirmed by running", BREAKS
            rules = [next((r for r in STRICTER if r[0] == code and (r[1] is None or mutation in r[1])), None) for code in codes]
            return (", ".join(sorted({r[0] for r in rules})), ANY) if all(rules) else None
        if unrunnable:
            rule = next((pattern for pattern, _ in INSTEAD if re.search(pattern, refusal)), None)
            return rule and (f"valid, but not runnable: {rule}", confirming(unrunnable, model))
        for pattern, fits, fates, _ in LAXER:
            if re.search(pattern, refusal, re.S) and (fits is None or fits(onnx.ModelProto.FromString(model))):
                return pattern, fates
        return None

    def compare(self, group, name, mutation, model, refusal, codes, unrunnable):
        """One verdict; what is listed counts as a disagreement, not as a failure."""
        self.compared[group] += 1
        if refusal == CRASH:
            self.crashes[group] += 1
            return
        if (refusal is None) == (not codes):
            self.tally.check(group, name, True)
            if refusal is None and unrunnable:
                self.open.append((group, name, model, confirming(unrunnable, model), f"not runnable: {sorted(unrunnable)}", self.unrunnable, group))
            return
        rule = self.listed(mutation, model, codes, unrunnable, refusal)
        why = f"onnx says {refusal[:300]!r}, sardonyx nothing" if refusal else f"sardonyx says {sorted(codes)}, onnx nothing"
        if rule is None:
            self.tally.check(group, name, False, why)
            return
        key = group, "onnx accepts" if refusal is None else "sardonyx accepts", rule[0]
        self.open.append((group, name, model, rule[1], why, self.disagreements, key))

    def settle(self):
        """Asks ONNX Runtime about what it must confirm."""
        answers = in_processes(fate, [model for _, _, model, *_ in self.open])
        for (group, name, _, fates, said, counter, key), found in zip(self.open, answers):
            counter[key] += 1
            self.tally.check(f"{group}: ONNX Runtime confirms", name, found in fates, f"{said}; ONNX Runtime: {found}")
        self.open.clear()

    def both(self, group, names, mutations, models):
        plain, full = onnx_refusals(models, False), onnx_refusals(models, True)
        for name, mutation, model, p, f, (structural, inferred, unrunnable) in zip(names, mutations, models, plain, full,
                                                                                   ours(self.driver, "bundle", bundle(models))):
            self.compare(f"{group}, structure", name, mutation, model, p, structural, unrunnable)
            self.compare(f"{group}, full", name, mutation, model, f, structural | inferred, unrunnable)

    def report(self):
        self.settle()
        for (group, side, rule), count in sorted(self.disagreements.items()):
            print(f"{group}: {side}: {rule}: {count}")
        for group, count in self.crashes.items():
            print(f"{group}: onnx.checker aborts on {count}")
        for group, count in self.compared.items():
            apart = sum(n for (g, _, _), n in self.disagreements.items() if g == group)
            print(f"{group}: {count} verdicts, {apart} listed disagreements ({100 * apart / count:.2f} %); "
                  f"valid for both, but not runnable: {self.unrunnable[group]} ({100 * self.unrunnable[group] / count:.2f} %)")
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
    """(name, mutation, bytes): each mutation equally often, from a corpus model or a made one."""
    per_mutation = -(-count // len(MUTATIONS))
    for name, mutate in MUTATIONS.items():
        wanted, tries = per_mutation, 0
        while wanted > 0 and tries < 100 * per_mutation:
            tries += 1
            base = rng.choice(made if not corpus or tries % 5 == 0 else corpus)
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
    tries = collections.Counter(mutations)
    for name in MUTATIONS:
        comparison.tally.check("tries of each mutation are equal", name, tries[name] == max(tries.values()), f"{tries[name]}")


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
    # onnx does not look at these, it only finds out when the data are loaded: valid, but not to be run.
    ours_alone = {"too short": [("location", "w.bin"), ("offset", "4")], "beyond the end": [("location", "w.bin"), ("offset", "1000")],
                  "wrong length": [("location", "w.bin"), ("length", "12")], "no number": [("location", "w.bin"), ("offset", "x")]}
    # Refused by onnx; the file lies in the folder all the same.
    onnx_alone = {"link within the folder": [("location", "inner.bin")], "hard link": [("location", "hard.bin")]}
    paths = []
    for name, entries in {**cases, **ours_alone, **onnx_alone}.items():
        paths.append(comparison.driver.put(f"model/{name}.onnx", external_model(entries)))
    verdicts = ours(comparison.driver, "files", "\n".join(paths).encode())
    loaded = in_processes(lambda path: session(path) is not None, paths)
    for path, refusal, loads, (structural, inferred, unrunnable) in zip(paths, onnx_refusals(paths, True), loaded, verdicts):
        name, codes = os.path.basename(path)[:-len(".onnx")], structural | inferred
        loads = loads is True
        if name in onnx_alone:
            tally.check(group, name, refusal and not codes and not unrunnable and loads,
                        f"sardonyx says {codes | unrunnable}, or ONNX Runtime refuses it")
            continue
        tally.check(group, name, (not codes) == (refusal is None), f"onnx says {refusal}, sardonyx {codes}")
        expected = unrunnable & {"tensor-external", "tensor-data"} and not loads if name in ours_alone else not unrunnable
        tally.check(f"{group}, to be run", name, expected, f"sardonyx says {unrunnable}; ONNX Runtime {'loads' if loads else 'refuses'} it")


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
