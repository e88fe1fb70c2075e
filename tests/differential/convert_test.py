#!/usr/bin/env python3
"""Holds sardonyx's opset converter to onnx: what it makes is valid and computes the same.

usage: convert_test.py --tool build/bin/convert_driver [--archive FILE] [--folder build/backend-tests] [--seed N] [--opsets 13,17,21,27]
                       [--share N] [--filter TEXT] [--verbose]

For the models of ONNX's backend tests: each is converted to the opsets given and to one of 7 to 27 by chance. What comes out must pass
onnx.checker, and run on the test's inputs must give the test's outputs. It runs in onnx's reference evaluator, or in onnxruntime where that
cannot; where neither can, that is counted apart. Refusals are counted by reason. Where onnx.version_converter makes a valid model that computes
the same, sardonyx must make one, too.
What the engine runs as it stands (tests/conformance) it must run converted, too.
--share N takes every Nth pair of model and opset (default: all). The seed is printed. The last line is
`N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import collections
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

from model_test import Driver, Tally, read, unpacked

import numpy as np
import onnx
import onnx.checker
import onnx.version_converter
from onnx import ModelProto, OptionalProto, SequenceProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

try:
    import onnxruntime
    onnxruntime.set_default_logger_severity(4)
except ImportError:
    onnxruntime = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RANDOM_OPERATORS = {"Bernoulli", "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial"}
# (test, opset): where onnx's converter passes on what its target does not have, and its own evaluator does not mind.
ONNX_FAULTS = {
    ("test_resize_upsample_scales_linear_half_pixel_symmetric", 18): "half_pixel_symmetric came with opset 19",
    **{("test_wrap_pad", opset): "Pad has the mode wrap since opset 19" for opset in range(7, 19)},
}


def opset_of(model):
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)


def value_of(path, kind):
    content = read(path)
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(SequenceProto.FromString(content))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(OptionalProto.FromString(content))
    return numpy_helper.to_array(TensorProto.FromString(content))


# (test, opset) that the engine does not run yet -> what it lacks
NOT_RUN = {}


class Case:
    """A backend test: its model, and the first set of inputs and outputs."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "model.onnx")
        self.name = os.path.basename(folder)
        self.model = onnx.load(self.path, load_external_data=False)
        self.opset = opset_of(self.model)
        self.data = os.path.join(folder, "test_data_set_0")

    def random(self):
        return any(node.op_type in RANDOM_OPERATORS for node in self.model.graph.node) or "training_dropout" in self.name

    def feeds(self):
        names = [value for value in self.model.graph.input if value.name not in {i.name for i in self.model.graph.initializer}]
        return {value.name: value_of(os.path.join(self.data, f"input_{i}.pb"), value.type) for i, value in enumerate(names)
                if os.path.exists(os.path.join(self.data, f"input_{i}.pb"))}

    def wanted(self):
        return [value_of(os.path.join(self.data, f"output_{i}.pb"), value.type) for i, value in enumerate(self.model.graph.output)]


def cases_of(folder):
    found = []
    for at, _, names in os.walk(folder):
        if "model.onnx" in names and os.path.isdir(os.path.join(at, "test_data_set_0")):
            case = Case(at)
            if case.opset:
                found.append(case)
    return sorted(found, key=lambda case: case.name)


def same(got, wanted):
    if isinstance(wanted, list):
        return isinstance(got, (list, tuple)) and len(got) == len(wanted) and all(map(same, got, wanted))
    if wanted is None or got is None:
        return got is None and wanted is None
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return False
    if wanted.dtype.kind in "OUSb":
        return bool((got == wanted).all())
    if wanted.dtype.kind in "iu":
        return bool((np.abs(got.astype(np.int64) - wanted.astype(np.int64)) <= (wanted.dtype.itemsize == 1)).all())
    loose = wanted.dtype.kind not in "fc" or wanted.dtype.itemsize < 4
    kind = np.complex128 if wanted.dtype.kind == "c" else np.float64
    return bool(np.allclose(got.astype(kind), wanted.astype(kind), rtol=2e-2 if loose else 1e-3, atol=2e-3 if loose else 1e-5, equal_nan=True))


def outcomes(model, case):
    """What each evaluator says: outputs, or the error."""
    feeds = case.feeds()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield "reference", ReferenceEvaluator(model).run(None, feeds)
    except Exception as error:
        yield "reference", error
    if onnxruntime:
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            yield "onnxruntime", onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feeds)
        except Exception as error:
            yield "onnxruntime", error


def agreement(model, case):
    """"same", "another result in ...", or "not run: ..."."""
    wanted, errors, differs = case.wanted(), [], None
    for name, outcome in outcomes(model, case):
        if isinstance(outcome, Exception):
            errors.append(f"{name}: {str(outcome).splitlines()[0] if str(outcome) else type(outcome).__name__}")
        elif same(list(outcome), wanted):
            return "same"
        else:
            differs = differs or f"another result in {name}"
    return differs or "not run: " + "; ".join(errors)


def checked(model):
    try:
        onnx.checker.check_model(model, full_check=True)
    except onnx.shape_inference.InferenceError as error:
        return None if "version" in str(error) and "No Op" in str(error) else f"inference: {error}"
    except onnx.checker.ValidationError as error:
        return str(error)
    except Exception as error:
        return str(error)
    return None


class Comparison:
    def __init__(self, driver, tally, verbose):
        self.driver, self.tally, self.verbose = driver, tally, verbose
        self.refusals, self.apart, self.original = collections.Counter(), collections.Counter(), {}
        self.converted = 0

    def runs_itself(self, case):
        if case.name not in self.original:
            self.original[case.name] = agreement(case.model, case)
        return self.original[case.name]

    def convert(self, case, opset):
        bytes_, error = self.driver.bytes_after("convert", case.path, str(opset))
        if error:
            return self.refused(case, opset, error)
        model = ModelProto.FromString(bytes_)
        self.converted += 1
        problem = checked(model)
        if problem and checked(case.model):
            self.apart["the original does not pass onnx.checker either"] += 1
            problem = None
        self.tally.check("valid", f"{case.name} {case.opset}->{opset}", problem is None and opset_of(model) == opset, problem)
        if problem is None and not case.random():
            self.compare(case, opset, model)
            self.keep(case, opset, bytes_)

    def keep(self, case, opset, bytes_):
        """Puts the converted test where run_by_sardonyx finds it."""
        folder = self.driver.path(os.path.join("converted", str(opset), case.name))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "model.onnx"), "wb") as file:
            file.write(bytes_)
        original = os.path.dirname(case.path)
        for name in os.listdir(original):
            if name.startswith("test_data_set_") and not os.path.lexists(os.path.join(folder, name)):
                os.symlink(os.path.abspath(os.path.join(original, name)), os.path.join(folder, name))

    def run_by_sardonyx(self, program):
        """The engine must run the converted tests which it runs as they are."""
        with open(os.path.join(ROOT, "tests", "conformance", "onnx-1.22.txt")) as file:
            listed = {line.split()[0] for line in file if len(line.split()) == 1}
        for opset in sorted(os.listdir(self.driver.path("converted"))):
            at = self.driver.path(os.path.join("converted", opset))
            tests = [os.path.join(at, name) for name in sorted(os.listdir(at)) if name in listed]
            if not tests:
                continue
            result = subprocess.run([program, "test", *tests], capture_output=True, text=True, check=False)
            for line in result.stdout.splitlines():
                name = line.split()[1].rstrip(":") if line.startswith("FAILED ") else ""
                if (name, int(opset)) in NOT_RUN:
                    self.apart[f"not run by sardonyx: {NOT_RUN[name, int(opset)]}"] += 1
                elif name:
                    self.tally.check("run by sardonyx", f"{name} {opset}", False, line)
            summary = re.match(r"(\d+) passed, (\d+) failed", result.stdout.splitlines()[-1] if result.stdout else "")
            self.tally.check("run by sardonyx, to the end", opset, summary is not None, result.stderr[-300:])
            for _ in range(int(summary.group(1)) if summary else 0):
                self.tally.check("run by sardonyx", opset, True)

    def compare(self, case, opset, model):
        verdict = agreement(model, case)
        if verdict != "same" and self.runs_itself(case) != "same":
            self.apart["the original does not run either, or gives another result"] += 1
            return
        if verdict.startswith("not run"):
            self.apart["no evaluator runs it: " + re.sub(r"[\"'(\[{0-9].*", "", verdict)[:90]] += 1
            if self.verbose:
                print(f"{case.name} {case.opset}->{opset}: {verdict[:300]}")
            return
        self.tally.check("computes the same", f"{case.name} {case.opset}->{opset}", verdict == "same", verdict)

    def refused(self, case, opset, error):
        if error.startswith("error: Unsupported"):
            reason = re.search(r"\((\w+)\): .*?(?:: (.*); the nearest|$)", error)
            self.refusals[f"{reason.group(1)}: {re.sub(chr(39) + '[^' + chr(39) + ']*' + chr(39), '..', reason.group(2) or '')}" if reason else error] += 1
            if self.verbose:
                print(f"{case.name} {case.opset}->{opset}: {error}")
            self.tally.check("refused, with node and nearest opset", case.name, reason is not None and "nearest opset" in error, error)
        else:
            self.tally.check("converted or refused", f"{case.name} {case.opset}->{opset}", False, error)
            return
        if (case.name, opset) in ONNX_FAULTS:
            self.apart[f"converted by onnx only: {ONNX_FAULTS[case.name, opset]}"] += 1
            return
        try:
            theirs = onnx.version_converter.convert_version(case.model, opset)
        except Exception:
            return
        if opset_of(theirs) == opset and checked(theirs) is None and agreement(theirs, case) == "same":
            self.tally.check("what onnx converts", f"{case.name} {case.opset}->{opset}", False, error)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--archive", default=os.path.join(ROOT, "..", "shared", "data", "onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "backend-tests"))
    parser.add_argument("--opsets", default="13,17,21,27")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--filter", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print(f"onnx {onnx.__version__}, seed {options.seed}")
    tally, rng = Tally(), random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(Driver(options.tool, folder), tally, options.verbose)
        backend_tests = unpacked(options.archive, options.folder, tally)
        cases = [case for case in cases_of(backend_tests) if options.filter in case.name] if backend_tests else []
        jobs = [(case, opset) for case in cases for opset in [*map(int, filter(None, options.opsets.split(","))), rng.randrange(7, 28)]]
        for case, opset in rng.sample(jobs, len(jobs) // options.share):
            if opset != case.opset:
                comparison.convert(case, opset)
        if comparison.converted:
            comparison.run_by_sardonyx(os.path.join(os.path.dirname(options.tool), "sardonyx"))
    print(f"converted: {comparison.converted}; refused: {sum(comparison.refusals.values())}")
    for reason, count in sorted(comparison.refusals.items(), key=lambda item: -item[1]):
        print(f"refused, {reason}: {count}")
    for group, count in sorted(comparison.apart.items()):
        print(f"apart, {group}: {count}")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
