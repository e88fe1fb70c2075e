#!/usr/bin/env python3
"""Holds the whole life of the super-resolution network to PyTorch, ONNX Runtime, onnx and the tutorial's published picture.

usage: superres_test.py --tool build/bin/superres_driver

Uses build/bin/sardonyx beside the tool. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from superres_net import SuperResolutionNet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = ROOT.parent / "shared/data/superres"
GENUINE = DATA / "superres_epoch100-44c6958e.pth"
OURS = ROOT / "models/superres_x3.pth"
TOLERANCE = 2e-6

counts = {"passed": 0, "failed": 0, "skipped": 0}


def report(name, good, detail=""):
    counts["passed" if good else "failed"] += 1
    print(f"{'ok' if good else 'FAILED'} {name}: {detail}", flush=True)


def skip(name, reason):
    counts["skipped"] += 1
    print(f"skipped {name}: {reason}", flush=True)


def run(*arguments):
    result = subprocess.run([str(a) for a in arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        raise RuntimeError(f"{arguments}: {result.stdout}")
    return result.stdout


def inputs():
    """(name, array): the tutorial's own input where it is here, and random planes with several batches and sizes."""
    random = np.random.default_rng(0)
    found = [(f"random {shape}", random.random(shape, dtype=np.float32)) for shape in ((1, 1, 224, 224), (3, 1, 224, 224), (8, 1, 224, 224))]
    if (DATA / "cat_input_224_f32.npy").exists():
        found.append(("the cat", np.load(DATA / "cat_input_224_f32.npy").reshape(1, 1, 224, 224)))
    return found


def compare_eager(driver, folder, weights, name):
    import torch
    net = SuperResolutionNet(3)
    net.load_state_dict(torch.load(weights, map_location="cpu"))
    net.eval()
    for label, array in inputs():
        np.save(folder / "x.npy", array)
        run(driver, weights, folder / "x.npy", folder / "y.npy")
        with torch.no_grad():
            expected = net(torch.from_numpy(array)).numpy()
        error = np.abs(np.load(folder / "y.npy") - expected).max()
        report(f"eager against PyTorch, {name}, {label}", error < TOLERANCE, f"max abs error {error:.3g}")


def compare_initial_weights(driver, folder):
    import torch
    for seed in (0, 1, 12345):
        torch.manual_seed(seed)
        expected = SuperResolutionNet(3).state_dict()
        run(driver, "--seed", seed, "--state", folder / "state.pth")
        state = torch.load(folder / "state.pth", weights_only=True)
        error = max(float((state[key] - value).abs().max()) for key, value in expected.items())
        report(f"initial weights, manual_seed({seed})", list(state) == list(expected) and error < 1e-6, f"max abs error {error:.3g}")


def compare_runtime(cli, folder, weights, name, opset, dynamic):
    import onnx
    import onnxruntime
    model = folder / f"{name}_{opset}.onnx"
    axes = [f"--dynamic={end}:{axis}={symbol}" for axis, symbol in dynamic.items() for end in ("input", "output")]
    run(cli, "export", "superres", "-o", model, "--weights", weights, "--opset", opset, *axes)
    try:
        onnx.checker.check_model(str(model), full_check=True)
        report(f"onnx.checker with full check, {name}, opset {opset}", True, "valid")
    except onnx.checker.ValidationError as error:
        report(f"onnx.checker with full check, {name}, opset {opset}", False, str(error))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    for label, array in inputs():
        np.save(folder / "x.npy", array)
        run(cli, "run", model, "--input", f"input={folder / 'x.npy'}", "--output-dir", folder)
        expected = session.run(None, {"input": array})[0]
        error = np.abs(np.load(folder / "output.npy") - expected).max()
        report(f"run against ONNX Runtime, {name}, opset {opset}, {label}", error < TOLERANCE, f"max abs error {error:.3g}")


def compare_published_picture(cli, folder):
    from PIL import Image
    run(cli, "superres", DATA / "cat.jpg", "-o", folder / "cat.png", "--weights", GENUINE, "--resize", "224x224")
    ours = np.asarray(Image.open(folder / "cat.png").convert("RGB"), dtype=np.float64)
    published = np.asarray(Image.open(DATA / "cat_superres_with_ort.jpg").convert("RGB"), dtype=np.float64)
    psnr = 10 * np.log10(255**2 / np.mean((ours - published) ** 2))
    report("the published picture", ours.shape == published.shape and psnr > 36, f"PSNR {psnr:.2f} dB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    driver = parser.parse_args().tool.resolve()
    cli = driver.parent / "sardonyx"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        checkpoints = [(OURS, "our weights")]
        if GENUINE.exists():
            checkpoints.append((GENUINE, "genuine weights"))
        else:
            skip("genuine weights", f"{os.path.relpath(GENUINE, ROOT)} is not here")
        compare_initial_weights(driver, folder)
        for weights, label in checkpoints:
            compare_eager(driver, folder, weights, label)
            for opset in (7, 10, 17, 22):
                compare_runtime(cli, folder, weights, label, opset, {0: "batch_size"})
            compare_runtime(cli, folder, weights, label, 11, {0: "batch_size", 2: "height", 3: "width"})
        if GENUINE.exists():
            compare_published_picture(cli, folder)
        else:
            skip("the published picture", f"{os.path.relpath(DATA, ROOT)} is not here")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
