#!/usr/bin/env python3
"""Holds whole networks of torchvision and others to PyTorch and ONNX Runtime: values, and bits across threads and levels.

usage: zoo_test.py --tool build/bin/sardonyx

The networks come from ../shared/bench/export_zoo.py, which needs Debian's python3-torch; they are exported to build/zoo once. The environment
variable ZOO names those to test, separated by spaces, or is "all"; by default they are those below that are marked quick. Each network runs
on the exported inputs at every optimisation level with 1, 2, 3 and 8 threads:
  outputs are as close as the table below tells to those of PyTorch and of ONNX Runtime;
  the number of threads changes no bit, and neither does the level basic;
and where its first axis is free, on batches of other sizes, held to ONNX Runtime. The last line is `N passed, M failed, K skipped`; the exit
status is 1 if any failed.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXPORTER = ROOT.parent / "shared/bench/export_zoo.py"
ZOO = ROOT / "build/zoo"
LEVELS = ("none", "basic", "extended", "all")
THREADS = (1, 2, 3, 8)
BATCHES = (2, 5)

# Name -> (greatest error, as a share of the greatest expected magnitude of the output; quick). Networks that are deep, or whose scores come
# from nearly cancelling sums, lose more digits: PyTorch and ONNX Runtime are as far from each other.
MODELS = {
    "superres": (5e-6, True),
    "bert_base": (5e-6, False),
    "gpt2_small": (5e-6, False),
    "lstm2": (5e-6, True),
    "bilstm2": (5e-6, False),
    "gru2": (5e-6, True),
    "resnet18": (1e-5, True),
    "resnet50": (1e-4, False),
    "mobilenet_v2": (2e-5, True),
    "mobilenet_v3_large": (1e-5, True),
    "squeezenet1_1": (5e-6, True),
    "efficientnet_b0": (2e-5, True),
    "densenet121": (1e-5, False),
    "vgg16": (1e-5, False),
    "googlenet": (5e-5, False),
    "inception_v3": (1e-4, False),
    "shufflenet_v2_x1_0": (2e-5, True),
    "mnasnet1_0": (2e-5, False),
    "regnet_y_400mf": (2e-5, False),
    "convnext_tiny": (1e-5, False),
    "vit_b_16": (1e-5, False),
    "swin_t": (1e-5, False),
    "lraspp_mobilenet_v3_large": (1e-5, True),
    "deeplabv3_mobilenet_v3_large": (2e-5, False),
    "ssdlite320_mobilenet_v3_large": (5e-5, True),
    "fasterrcnn_mobilenet_v3_large_320_fpn": (1e-4, False),
}

counts = {"passed": 0, "failed": 0, "skipped": 0}


def report(name, good, detail):
    counts["passed" if good else "failed"] += 1
    print(f"{'ok' if good else 'FAILED'} {name}: {detail}", flush=True)


def skip(name, reason):
    counts["skipped"] += 1
    print(f"skipped {name}: {reason}", flush=True)


def chosen():
    asked = os.environ.get("ZOO", "").split()
    if asked == ["all"]:
        return list(MODELS)
    if unknown := [name for name in asked if name not in MODELS]:
        sys.exit(f"ZOO names {unknown[0]}, which is none of {' '.join(MODELS)}")
    return asked or [name for name, (_, quick) in MODELS.items() if quick]


def why_no_export():
    """Why networks cannot be exported here, or ""."""
    if not EXPORTER.exists():
        return f"{os.path.relpath(EXPORTER, ROOT)} is not here"
    found = subprocess.run(["/usr/bin/python3", "-c", "import torch, torchvision, onnx"], capture_output=True, text=True, check=False)
    return found.stderr.strip().splitlines()[-1] if found.returncode else ""


def export(names):
    """Exports what is missing. Returns the names that are there; the others are failed or skipped."""
    missing = [name for name in names if not (ZOO / name / "model.onnx").exists()]
    if not missing:
        return names
    if reason := why_no_export():
        for name in missing:
            skip(name, reason)
        return [name for name in names if name not in missing]
    ZOO.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ZOO) as partial:
        result = subprocess.run(["/usr/bin/python3", EXPORTER, partial, *missing], text=True, errors="replace", stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        done = {line.split(":")[0] for line in result.stdout.splitlines()}
        for name in missing:
            if name in done:
                (pathlib.Path(partial) / name).rename(ZOO / name)
            else:
                report(f"{name}, export", False, result.stdout[-2000:])
    return [name for name in names if (ZOO / name / "model.onnx").exists()]


class Network:
    """One network of the zoo, run by both sides."""

    def __init__(self, tool, name):
        import onnxruntime
        self.tool, self.name = tool, name
        self.path = ZOO / name / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self.peer = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        self.inputs = {arg.name: np.load(ZOO / name / f"input_{i}.npy") for i, arg in enumerate(self.peer.get_inputs())}
        self.output_names = [arg.name for arg in self.peer.get_outputs()]
        self.expected = [np.load(ZOO / name / f"output_{i}.npy") for i in range(len(self.output_names))]
        self.has_free_batch = all(isinstance(arg.shape[0], str) for arg in self.peer.get_inputs())

    def run(self, feeds, level, threads):
        """The outputs in the model's order. Throws RuntimeError with the message of the tool."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = []
            for i, (name, value) in enumerate(feeds.items()):
                np.save(f"{folder}/{i}.npy", value)
                arguments += ["--input", f"{name}={folder}/{i}.npy"]
            command = [self.tool, "run", self.path, *arguments, "--output-dir", f"{folder}/outputs", "--optimize", level, "--threads", str(threads)]
            result = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if result.returncode:
                raise RuntimeError(result.stdout[-2000:])
            return [np.load(f"{folder}/outputs/{name.replace('/', '_')}.npy") for name in self.output_names]

    def batch(self, size):
        """The inputs, that many times; each time turned by one element."""
        return {name: np.concatenate([np.roll(value, i, axis=-1) for i in range(size)]) for name, value in self.inputs.items()}


def disagreement(actual, expected, tolerance):
    """What is wrong, or None; and how far the outputs are apart, as a share of the greatest magnitude."""
    worst = 0.0
    for i, (a, b) in enumerate(zip(actual, expected)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"output {i} is {a.dtype} {a.shape}, expected {b.dtype} {b.shape}", worst
        scale = max(float(np.abs(b).max(initial=0)), 1e-30)
        error = float(np.abs(a.astype(np.float64) - b).max(initial=0)) / scale
        if not error <= tolerance:
            return f"output {i}: error {error:.2e} of the greatest magnitude, {tolerance:.0e} are allowed", worst
        worst = max(worst, error)
    return None, worst


def same_bits(left, right):
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(left, right))


def compare(name, actual, expected, tolerance):
    problem, error = disagreement(actual, expected, tolerance)
    report(name, problem is None, problem or f"error {error:.2e}")


def test_threads(network, level):
    """The outputs of one thread, which those of more must equal; None if nothing ran."""
    name = f"{network.name}, {level}"
    try:
        first = network.run(network.inputs, level, THREADS[0])
        different = [n for n in THREADS[1:] if not same_bits(first, network.run(network.inputs, level, n))]
    except RuntimeError as error:
        report(name, False, error)
        return None
    report(f"{name}, bits", not different, f"other bits with {different} threads" if different else f"the same with {THREADS} threads")
    return first


def test_levels(network, tolerance):
    peer = network.peer.run(None, network.inputs)
    outputs = {}
    for level in LEVELS:
        outputs[level] = test_threads(network, level)
        if outputs[level] is not None:
            compare(f"{network.name}, {level}, against PyTorch", outputs[level], network.expected, tolerance)
            compare(f"{network.name}, {level}, against ONNX Runtime", outputs[level], peer, tolerance)
    if outputs["none"] is not None and outputs["basic"] is not None:
        report(f"{network.name}, none and basic", same_bits(outputs["none"], outputs["basic"]), "bits compared")


def test_batch(network, size, tolerance):
    """Where ONNX Runtime refuses the size (the export fixed it in a node), we must, too."""
    name = f"{network.name}, batch of {size}"
    feeds = network.batch(size)
    try:
        expected = network.peer.run(None, feeds)
    except Exception as error:  # its exceptions have no common class
        expected, refusal = None, str(error).splitlines()[0]
    try:
        actual = network.run(feeds, "all", 2)
    except RuntimeError as error:
        report(name, expected is None, f"refused by both: {refusal}" if expected is None else error)
        return
    if expected is None:
        report(name, False, f"runs, but ONNX Runtime refuses it: {refusal}")
    else:
        compare(name, actual, expected, tolerance)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    tool = parser.parse_args().tool.resolve()
    for name in export(chosen()):
        tolerance = MODELS[name][0]
        network = Network(tool, name)
        test_levels(network, tolerance)
        for size in BATCHES if network.has_free_batch else ():
            test_batch(network, size, tolerance)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
