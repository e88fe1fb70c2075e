#!/usr/bin/env python3
"""Holds exported models to the onnx package's checker, to ONNX Runtime's results and to PyTorch's own export.

usage: export_test.py --tool build/bin/export_driver

The driver exports networks that cover every layer and function, at every opset, with fixed and with dynamic axes, and tells what they give
eagerly on inputs of several sizes.
1. Each model: onnx.checker.check_model with full_check.
2. Each model in ONNX Runtime, on all sizes that its dynamic axes take: largest difference from the eager outputs at most 2e-6 of the
   largest expected magnitude (at least 1). Opsets that the runtime does not take are skipped.
3. Each refusal names a later opset, at which that network was exported.
4. The super-resolution network: the same operators and initializers as torch.onnx.export's.
The last line reads "N passed, M failed, K skipped"; the exit status is 1 if any failed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

try:
    import numpy as np
    import onnx
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None
try:
    import torch
    from superres_net import SuperResolutionNet
except ImportError:
    torch = None

TOLERANCE = 2e-6


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skips = 0, 0, Counter()
        self.worst = (0.0, "nothing")

    def check(self, what, ok, why=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {why}")

    def skip(self, why):
        self.skips[why] += 1

    def finish(self):
        for why, count in sorted(self.skips.items()):
            print(f"skipped {count}: {why}")
        print(f"largest relative difference: {self.worst[0]:.3g} ({self.worst[1]})")
        print(f"{self.passed} passed, {self.failed} failed, {sum(self.skips.values())} skipped")


class Exports:
    """What the driver told."""

    def __init__(self, driver, folder):
        self.folder = Path(folder)
        result = subprocess.run([driver, folder], stdout=subprocess.PIPE, text=True, check=False)
        self.complete = result.returncode == 0
        self.models, self.refused, self.runs = [], [], []
        for line in result.stdout.splitlines():
            kind, *fields = line.split("\t")
            if kind == "model":
                self.models.append((fields[0], fields[1], int(fields[2])))
            elif kind == "refused":
                self.refused.append((fields[0], fields[1], int(fields[2]), fields[3]))
            else:
                self.runs.append((fields[0], fields[1], fields[2].split(","), int(fields[3]), int(fields[4])))

    def path(self, net, mode, opset):
        return self.folder / net / mode / f"{opset}.onnx"

    def tensors(self, net, run, side, count):
        return [np.load(self.folder / net / f"{run}_{side}_{i}.npy") for i in range(count)]


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def test_checker(tally, exports):
    for model in exports.models:
        try:
            onnx.checker.check_model(str(exports.path(*model)), full_check=True)
            why = ""
        except Exception as error:  # the package raises types of its own from several modules
            why = str(error)
        tally.check(f"checker {model}", not why, why)


def relative_difference(actual, expected):
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return float("inf")
    if actual.size == 0:
        return 0.0
    gap = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()
    return float("inf") if np.isnan(gap) else gap / max(1.0, np.abs(expected).max())


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare_run(tally, exports, model, session, run, inputs, outputs):
    what = f"runtime {model} run {run}"
    feeds = dict(zip((value.name for value in session.get_inputs()), exports.tensors(model[0], run, "input", inputs)))
    try:
        actual = session.run(None, feeds)
    except Exception as error:
        tally.check(what, False, first_line(error))
        return
    expected = exports.tensors(model[0], run, "output", outputs)
    differences = [relative_difference(a, e) for a, e in zip(actual, expected)]
    worst = max(differences, default=float("inf")) if len(actual) == len(expected) else float("inf")
    if worst <= TOLERANCE:
        tally.worst = max(tally.worst, (worst, what))
    tally.check(what, worst <= TOLERANCE, f"differences {differences} > {TOLERANCE}")


def runtime_lacks(error):
    """The reason, where the runtime says that it has no such opset or operator."""
    text = str(error)
    for pattern in (r"ONNX Runtime only \*guarantees\* support.{0,80}", r"NOT_IMPLEMENTED.*"):
        found = re.search(pattern, text)
        if found:
            return re.sub(r" node.*|\(node:.*?\)", "", found.group(0))[:160]
    return None


def test_runtime(tally, exports):
    if onnxruntime is None:
        tally.skip("no onnxruntime package")
        return
    for model in exports.models:
        net, mode, opset = model
        try:
            session = open_session(exports.path(*model))
        except Exception as error:
            reason = runtime_lacks(error)
            if reason:
                tally.skip(f"opset {opset}: {reason}")
            else:
                tally.check(f"runtime {model}", False, first_line(error))
            continue
        for run_net, run, modes, inputs, outputs in exports.runs:
            if run_net == net and mode in modes:
                compare_run(tally, exports, model, session, run, inputs, outputs)


def test_refusals(tally, exports):
    exported = set(exports.models)
    for net, mode, opset, message in exports.refused:
        reason = message.split(f"to opset {opset}: ")[-1]
        found = re.search(r"opset (\d+)", reason)
        later = int(found.group(1)) if found else 0
        good = later > opset and all((net, mode, o) in exported for o in range(later, 28)) and (net, mode, later - 1) not in exported
        tally.check(f"refusal {net} {mode} {opset}", good, message)


def one_numbering(name):
    """torch numbers the second call of a module, /relu_1/Relu; sardonyx the second node, /relu/Relu_1."""
    return re.sub(r"^(.*)_(\d+)/(\w+?)(_output_0)?$", r"\1/\3_\2\4", name)


def structure(path):
    """Operators with their names, and initializers. torch writes shapes as Constant nodes, which are initializers here, and casts them to
    the type that they have already."""
    graph = onnx.load(str(path)).graph
    nodes = [node for node in graph.node if node.op_type not in ("Constant", "Cast")]
    return {
        "operators": [node.op_type for node in nodes],
        "names": [one_numbering(node.name) for node in nodes],
        "outputs": [one_numbering(node.output[0]) for node in nodes],
        "attributes": [{a.name: onnx.helper.get_attribute_value(a) for a in node.attribute if a.name != "allowzero"} for node in nodes],
        "initializers": {tensor.name: list(tensor.dims) for tensor in graph.initializer if not tensor.name.startswith("/")},
        "input": [dim.dim_value or dim.dim_param for dim in graph.input[0].type.tensor_type.shape.dim],
    }


def test_torch(tally, exports):
    if torch is None:
        tally.skip("no torch package")
        return
    net = SuperResolutionNet(3).eval()
    for opset in range(7, 18):
        path = exports.folder / f"torch_{opset}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(net, torch.randn(1, 1, 40, 48), str(path), opset_version=opset, input_names=["input0"],
                              output_names=["output"], dynamic_axes={"input0": {0: "batch_size"}, "output": {0: "batch_size"}})
        ours, theirs = structure(exports.path("superres", "batch", opset)), structure(path)
        for part in ours:
            tally.check(f"torch {opset} {part}", ours[part] == theirs[part], f"{ours[part]} is not {theirs[part]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        exports = Exports(arguments.tool, folder)
        tally.check("driver", exports.complete, "ended with an error")
        test_checker(tally, exports)
        test_runtime(tally, exports)
        test_refusals(tally, exports)
        test_torch(tally, exports)
    tally.finish()
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
