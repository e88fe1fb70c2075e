"""The two sides: ONNX Runtime in this process, sardonyx in its driver's."""

import os
import struct
import subprocess

import numpy as np
import onnx
import onnxruntime

from operators.case import tensor_of

onnxruntime.set_default_logger_severity(4)
REFUSED = 0xFFFFFFFF
# What ONNX Runtime says of cases that it knows, but has no code for.
NOT_IMPLEMENTED = (
    "NOT_IMPLEMENTED", "is not a registered function/op", "No Op registered for", "does not support double yet", "Batchwise recurrent operations",
    "data type is not supported with", "Dilation not supported for AutoPadType", "Failed to construct locale",
    "IsPrimitiveDataType<T>(dtype_) was false", "mode only supports:", "Non zero padding", "Non per-tensor quantization is not",
                   "InsertedPrecisionFreeCast",
)


class Outcome:
    """Outputs, or the error."""

    def __init__(self, outputs=None, error=None):
        self.outputs, self.error = outputs, error

    def not_implemented(self):
        return self.error is not None and any(text in self.error for text in NOT_IMPLEMENTED)


def onnxruntime_options():
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return options


class OnnxRuntime:
    def __init__(self):
        self.options = onnxruntime_options()

    def run(self, case, model):
        try:
            session = onnxruntime.InferenceSession(model, self.options, providers=["CPUExecutionProvider"])
            feeds = {}
            for name, value in case.feeds().items():
                feeds[name] = value.astype(object) if value.dtype.kind in "OU" else value
                if value.dtype.kind == "V" or value.dtype.name.startswith(("bfloat", "float8", "int4", "uint4", "int2", "uint2")):
                    feeds[name] = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(value, onnx.helper.np_dtype_to_tensor_dtype(value.dtype))
            return Outcome(session.run(case.output_names(), feeds))
        except Exception as error:  # pylint: disable=broad-except
            return Outcome(error=f"{error}".replace("\n", " "))


def block(content):
    return struct.pack("<I", len(content)) + content


def count(number):
    return block(struct.pack("<I", number))


class Sardonyx:
    """operators_driver in one process, with a folder for its files."""

    def __init__(self, tool, folder):
        self.tool, self.process = tool, None
        self.cases, self.results = os.path.join(folder, "cases"), os.path.join(folder, "results")

    def run(self, batch):
        """The Outcome of each (case, model)."""
        outcomes = []
        while len(outcomes) < len(batch):
            rest = batch[len(outcomes):]
            error = self._job(rest)
            found = self._read(len(rest))
            outcomes += found
            if error and len(found) < len(rest):
                outcomes.append(Outcome(error=f"the driver failed: {error}"))
        return outcomes

    def _job(self, batch):
        with open(self.cases, "wb") as file:
            for case, model in batch:
                feeds = case.feeds()
                file.write(block(model) + count(len(feeds)))
                for name, value in feeds.items():
                    file.write(block(tensor_of(value, name).SerializeToString()))
        if os.path.exists(self.results):
            os.remove(self.results)
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([self.tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print("run", self.cases, self.results, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        return None if answer == "ok" else answer or f"it ended with status {self.process.wait()}"

    def _read(self, most):
        if not os.path.exists(self.results):
            return []
        with open(self.results, "rb") as file:
            content = file.read()
        at, outcomes = 0, []

        def take():
            nonlocal at
            size, = struct.unpack_from("<I", content, at)
            at += 4 + size
            return content[at - size:at]

        while at < len(content) and len(outcomes) < most:
            outputs, = struct.unpack("<I", take())
            if outputs == REFUSED:
                outcomes.append(Outcome(error=take().decode(errors="replace")))
            else:
                outcomes.append(Outcome([array_of(take()) for _ in range(outputs)]))
        return outcomes


def array_of(content):
    return onnx.numpy_helper.to_array(onnx.TensorProto.FromString(content))


def reference(case, model):
    """What onnx's own evaluator says."""
    from onnx.reference import ReferenceEvaluator
    try:
        with np.errstate(all="ignore"):
            return Outcome(ReferenceEvaluator(onnx.ModelProto.FromString(model)).run(case.output_names(), case.feeds()))
    except Exception as error:  # pylint: disable=broad-except
        return Outcome(error=f"{type(error).__name__}: {error}".replace("\n", " "))
