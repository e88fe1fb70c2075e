"""Models that onnxruntime.quantization quantises, and optimised models, against ONNX Runtime.

usage: quantized_test.py --tool build/bin/sardonyx [--zoo DIR]

DIR holds exported models (NAME/model.onnx, NAME/input_0.npy); if resnet18 is there, it is quantised beside a small network of the same kind.
The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SEED = 20


def small_network(rng):
    """Convolutions with ReLUs, a residual, pools, a sigmoid gate and a classifier, on 3 x 32 x 32."""
    weights, nodes = {}, []

    def constant(name, *shape):
        weights[name] = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)).astype(np.float32)
        return name

    def conv(x, y, inputs, outputs, size):
        pads = [size // 2] * 4
        nodes.append(helper.make_node("Conv", [x, constant(y + "_w", outputs, inputs, size, size), constant(y + "_b", outputs)], [y], pads=pads))

    conv("x", "c1", 3, 16, 3)
    nodes.append(helper.make_node("Relu", ["c1"], ["r1"]))
    nodes.append(helper.make_node("MaxPool", ["r1"], ["m1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]))
    conv("m1", "c2", 16, 16, 3)
    nodes.append(helper.make_node("Add", ["c2", "m1"], ["s1"]))
    nodes.append(helper.make_node("Relu", ["s1"], ["r2"]))
    conv("r2", "c3", 16, 16, 1)
    nodes.append(helper.make_node("Sigmoid", ["c3"], ["g"]))
    nodes.append(helper.make_node("Mul", ["r2", "g"], ["gated"]))
    nodes.append(helper.make_node("Concat", ["gated", "r2"], ["both"], axis=1))
    nodes.append(helper.make_node("GlobalAveragePool", ["both"], ["p"]))
    nodes.append(helper.make_node("Flatten", ["p"], ["f"]))
    nodes.append(helper.make_node("Gemm", ["f", constant("fc_w", 10, 32), constant("fc_b", 10)], ["y"], transB=1))
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
                              [numpy_helper.from_array(v, k) for k, v in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Images(CalibrationDataReader):
    def __init__(self, images, name):
        self.feeds = iter([{name: image} for image in images])

    def get_next(self):
        return next(self.feeds, None)


class Suite:
    def __init__(self, sardonyx, folder):
        self.sardonyx, self.folder, self.passes, self.failures = sardonyx, pathlib.Path(folder), 0, 0

    def command(self, *arguments):
        done = subprocess.run([self.sardonyx, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"sardonyx {' '.join(map(str, arguments))}: {done.stderr or done.stdout}")
        return done.stdout

    def ours(self, model, name, image, *options):
        np.save(self.folder / "in.npy", image)
        out = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.command("run", model, "--input", f"{name}={self.folder / 'in.npy'}", "--output-dir", out, *options)
        (result,) = out.glob("*.npy")
        return np.load(result)

    def expect(self, what, holds, detail):
        print(("ok    " if holds else "FAIL  ") + what + ": " + detail)
        self.passes += holds
        self.failures += not holds

    def quantized(self, label, model, name, images, per_channel, activation):
        """The quantised model: ours optimised against theirs and against the float computation of the region."""
        path = self.folder / f"{label}.onnx"
        quantize_static(str(model), str(path), Images(images[:4], name), quant_format=QuantFormat.QDQ, per_channel=per_channel,
                        activation_type=activation, weight_type=QuantType.QInt8)
        session = onnxruntime.InferenceSession(str(path))
        theirs = session.run(None, {name: images[-1]})[0]
        ours, plain = (self.ours(path, name, images[-1], "--optimize", level) for level in ("all", "none"))
        scale = last_scale(path)
        distance = lambda a, b: float(np.abs(a - b).max() / scale)
        self.expect(label, distance(ours, theirs) <= max(4, 2 * distance(plain, theirs)),
                    f"{distance(ours, theirs):.2f} steps from ONNX Runtime, {distance(ours, plain):.2f} from the float computation")
        optimized = self.folder / f"{label}.optimized.onnx"
        self.command("optimize", path, "-o", optimized)
        operators = [node.op_type for node in onnx.load(optimized).graph.node]
        left = sum(operator in ("Conv", "FusedConv", "Gemm", "FusedGemm") for operator in operators)
        self.expect(label + " in integers", left == 0, f"{left} products of floats are left of {len(operators)} nodes")
        again = onnxruntime.InferenceSession(str(optimized)).run(None, {name: images[-1]})[0]
        self.expect(label + " saved", distance(again, theirs) <= 4, f"{distance(again, theirs):.2f} steps when ONNX Runtime runs the optimised model")

    def saved(self, label, model, name, image):
        """The optimised float model, run by ONNX Runtime and by us, against the original."""
        optimized = self.folder / f"{label}.saved.onnx"
        self.command("optimize", model, "-o", optimized)
        expected = onnxruntime.InferenceSession(str(model)).run(None, {name: image})[0]
        for who, actual in (("ONNX Runtime", onnxruntime.InferenceSession(str(optimized)).run(None, {name: image})[0]),
                            ("Sardonyx", self.ours(optimized, name, image))):
            error = float(np.abs(actual - expected).max() / max(1.0, np.abs(expected).max()))
            self.expect(f"{label} saved, run by {who}", error < 1e-4, f"{error:.1e}")


def last_scale(path):
    """The scale of the last QuantizeLinear or DequantizeLinear."""
    graph = onnx.load(path).graph
    scales = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    node = [n for n in graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear") and scales[n.input[1]].ndim == 0][-1]
    return float(scales[node.input[1]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--zoo")
    arguments = parser.parse_args()
    sardonyx, zoo = arguments.tool, arguments.zoo
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(sardonyx, folder)
        path = pathlib.Path(folder) / "small.onnx"
        onnx.save(small_network(rng), path)
        images = [rng.standard_normal((1, 3, 32, 32)).astype(np.float32) for _ in range(6)]
        suite.saved("small", path, "x", images[0])
        for per_channel in (False, True):
            for activation in (QuantType.QUInt8, QuantType.QInt8):
                suite.quantized(f"small_{activation.name}_{'channel' if per_channel else 'tensor'}", path, "x", images, per_channel, activation)
        resnet = pathlib.Path(zoo) / "resnet18" if zoo else None
        if resnet and (resnet / "model.onnx").exists():
            name = onnx.load(resnet / "model.onnx", load_external_data=False).graph.input[0].name
            image = np.load(resnet / "input_0.npy")
            suite.saved("resnet18", resnet / "model.onnx", name, image)
            images = [image + 0.1 * rng.standard_normal(image.shape).astype(np.float32) for _ in range(3)]
            suite.quantized("resnet18_channel", resnet / "model.onnx", name, images, True, QuantType.QUInt8)
        print(f"{suite.passes} passed, {suite.failures} failed, 0 skipped")
        return 1 if suite.failures else 0


if __name__ == "__main__":
    sys.exit(main())
