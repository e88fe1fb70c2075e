#!/usr/bin/env python3
"""Holds sardonyx's reader and writer of ONNX files to the onnx package's, byte for byte and bit for bit.

usage: model_test.py --tool build/bin/model_driver [--archive FILE] [--folder build/backend-tests] [--seed N] [--messages N]

1. Every model and TensorProto of ONNX's backend tests: read, written, same bytes; parsed again by protobuf, equal.
2. Random models with every field of onnx.proto: the same.
3. Elements of TensorProtos, from files and made by onnx for every type in both storages: equal to onnx.numpy_helper's, bit for bit.
4. External data: written by onnx and read by sardonyx, and the other way round.
The seed is printed. Without the onnx package, or the archive, those parts are skipped with the reason. The last line is
`N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KNOWS_SMALL_TYPES = hasattr(helper, "tensor_dtype_to_np_dtype")  # from onnx 1.13; before, bfloat16 became float32
PACKED_BITS = {"uint4": 4, "int4": 4, "float4e2m1": 4, "uint2": 2, "int2": 2}


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.counts = {}

    def check(self, group, name, ok, why=""):
        good, all_ = self.counts.get(group, (0, 0))
        self.counts[group] = (good + bool(ok), all_ + 1)
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {group}: {name}: {why}")

    def skip(self, what, why):
        self.skipped += 1
        print(f"skipped {what}: {why}")

    def finish(self):
        """Prints the counts; returns the exit status."""
        for group, (good, all_) in self.counts.items():
            print(f"{group}: {good} of {all_}")
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


class Driver:
    """model_driver in one process, with a folder for its files."""

    def __init__(self, tool, folder):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words):
        """None, or the error."""
        print(*words, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if answer == "ok":
            return None
        return answer or f"model_driver ended with status {self.process.wait()}"

    def bytes_after(self, verb, *words):
        """(bytes of the output, error)"""
        out = self.path("out")
        error = self.run(verb, *words, out)
        if error:
            return None, error
        with open(out, "rb") as file:
            return file.read(), None

    def put(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def unpacked(archive, folder, tally):
    """The folder with the backend tests, or None."""
    if not os.path.isdir(os.path.join(folder, "onnx")):
        if not os.path.exists(archive):
            tally.skip("backend tests", f"{archive} is absent")
            return None
        os.makedirs(folder, exist_ok=True)
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
    return folder


def files_of(folder, ending):
    return sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(ending))


def same_message(driver, tally, group, verb, path, kind):
    """Whether the bytes after reading and writing are the same; counts apart whether the messages are equal."""
    before = read(path)
    after, error = driver.bytes_after(verb, path)
    tally.check(group + ", bytes", path, after == before, error or "other bytes")
    # Same bytes are the same message, though some protobuf runtimes find NaN unequal to itself.
    equal = after is not None and (after == before or kind.FromString(after) == kind.FromString(before))
    tally.check(group + ", messages", path, equal, error or "another message")
    return equal and after == before


def as_tensor_proto(content):
    """The TensorProto in the bytes, or None if they are a sequence, an optional or a map."""
    try:
        tensor = TensorProto.FromString(content)
    except Exception:
        return None
    if tensor.data_type == 0 or tensor.SerializeToString() != content:
        return None
    return tensor


def element_bits(kind, shape, data):
    """One unsigned integer (or text) an element, from model_driver's output."""
    if kind == "string":
        out, at = [], 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            out.append(data[at + 8 : at + 8 + size])
            at += 8 + size
        return out
    raw = np.frombuffer(data, np.uint8)
    if kind not in PACKED_BITS:
        return raw.tobytes()
    bits = PACKED_BITS[kind]
    parts = [(raw >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(-1)[: int(np.prod(shape, dtype=np.int64))].tobytes()


def expected_bits(kind, array):
    if kind == "string":
        return [text if isinstance(text, bytes) else str(text).encode() for text in array.reshape(-1)]
    raw = np.ascontiguousarray(array).reshape(-1)
    if kind in PACKED_BITS:
        return (raw.view(np.uint8) & ((1 << PACKED_BITS[kind]) - 1)).tobytes()
    return raw.tobytes()


def same_elements(driver, tally, group, name, words, array, wanted_kind):
    output, error = driver.bytes_after(*words)
    if error:
        tally.check(group, name, False, error)
        return
    head, data = output.split(b"\n", 1)
    kind, *sizes = head.decode().split()
    shape = tuple(int(size) for size in sizes)
    ok = kind == wanted_kind and shape == array.shape and element_bits(kind, shape, data) == expected_bits(kind, array)
    tally.check(group, name, ok, f"{kind} {shape}, expected {wanted_kind} {array.shape} with the same bits")


def kind_name(data_type):
    return TensorProto.DataType.Name(data_type).lower()


def check_files(driver, tally, folder):
    for path in files_of(folder, ".onnx"):
        same_message(driver, tally, "backend models", "roundtrip", path, onnx.ModelProto)
    for path in files_of(folder, ".pb"):
        tensor = as_tensor_proto(read(path))
        if tensor is None:
            tally.skip(path, "it holds a sequence or an optional, not a tensor")
            continue
        same_message(driver, tally, "backend tensors", "tensor", path, TensorProto)
        if tensor.data_type >= TensorProto.BFLOAT16 and not KNOWS_SMALL_TYPES:
            tally.skip(path, f"onnx {onnx.__version__} has no array of its type")
            continue
        try:
            array = numpy_helper.to_array(tensor)
        except Exception as error:
            tally.skip(path, f"numpy cannot hold it: {error}")
            continue
        same_elements(driver, tally, "elements of backend tensors", path, ("decode", path), array, kind_name(tensor.data_type))


class RandomMessages:
    """Fills protobuf messages field by field from their descriptors."""

    def __init__(self, rng):
        self.rng = rng

    def scalar(self, field):
        rng = self.rng
        if field.cpp_type == field.CPPTYPE_STRING:
            return self.text() if field.type == field.TYPE_STRING else rng.randbytes(rng.randrange(6))
        if field.cpp_type == field.CPPTYPE_ENUM:
            return rng.choice(field.enum_type.values).number
        if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
            return rng.choice([0.0, -0.0, 1.5, float("inf"), float("nan")])
        bits = 31 if field.cpp_type == field.CPPTYPE_INT32 else 63
        if field.cpp_type == field.CPPTYPE_UINT64:
            return rng.choice([0, 1, 2**64 - 1])
        return rng.choice([0, 1, -1, 300, 2**bits - 1, -(2**bits)])

    def text(self):
        return "".join(self.rng.choice("aé/ß") for _ in range(self.rng.randrange(4)))

    def fill(self, message, density, depth):
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() > density:
                continue
            is_message = field.cpp_type == field.CPPTYPE_MESSAGE
            if is_message and depth == 0:
                continue
            is_repeated = field.label == field.LABEL_REPEATED if not hasattr(field, "is_repeated") else field.is_repeated
            slot = getattr(message, field.name) if is_message or is_repeated else None
            if is_repeated:
                for _ in range(self.rng.randrange(1, 3)):
                    self.fill(slot.add(), density, depth - 1) if is_message else slot.append(self.scalar(field))
            elif is_message:
                slot.SetInParent()
                self.fill(slot, density, depth - 1)
            else:
                setattr(message, field.name, self.scalar(field))
        return message


def check_random_messages(driver, tally, seed, count):
    maker = RandomMessages(random.Random(seed))
    for number in range(count):
        model = maker.fill(onnx.ModelProto(), maker.rng.choice([0.3, 0.5, 0.8]), maker.rng.randrange(2, 6))
        path = driver.put("random.onnx", model.SerializeToString(deterministic=True) or b"\x08\x00")
        if not same_message(driver, tally, "random models", "roundtrip", path, onnx.ModelProto):
            print(f"random model {number}, seed {seed}")


def tensors_of_every_type(rng):
    """(name, TensorProto): both storages, several shapes."""
    for data_type in sorted(TensorProto.DataType.values()):
        if data_type == TensorProto.UNDEFINED:
            continue
        for shape in [(), (1,), (3, 5), (2, 0)]:
            count = int(np.prod(shape, dtype=np.int64))
            if data_type == TensorProto.STRING:
                array = np.array([b"t%d" % i for i in range(count)], object).reshape(shape)
                yield "string", helper.make_tensor("t", data_type, shape, list(array.reshape(-1)))
                continue
            dtype = helper.tensor_dtype_to_np_dtype(data_type)
            numbers = [rng.choice([0, 1]) if data_type == TensorProto.BOOL else rng.randrange(0, 2) for _ in range(count)]
            array = np.array(numbers, np.float32).reshape(shape).astype(dtype)
            yield kind_name(data_type) + " raw", numpy_helper.from_array(array, "t")
            if count:
                yield kind_name(data_type) + " typed", helper.make_tensor("t", data_type, shape, list(array.reshape(-1)))


def check_types(driver, tally, seed):
    if not KNOWS_SMALL_TYPES:
        tally.skip("elements of every type", f"onnx {onnx.__version__} cannot make them")
        return
    for name, tensor in tensors_of_every_type(random.Random(seed)):
        path = driver.put("t.pb", tensor.SerializeToString())
        array = numpy_helper.to_array(tensor)
        kind = kind_name(tensor.data_type)
        same_elements(driver, tally, "elements of every type", f"{name} {array.shape}", ("decode", path), array, kind)


def example_model(rng):
    arrays = {f"w{i}": np.array([rng.random() for _ in range(1 + i * 700)], np.float32 if i % 2 else np.float64) for i in range(6)}
    graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(array, name) for name, array in arrays.items()])
    return helper.make_model(graph), arrays


def check_external_data(driver, tally, seed):
    model, arrays = example_model(random.Random(seed))
    original = model.SerializeToString()
    theirs = driver.path("theirs.onnx")
    onnx.save(model, theirs, save_as_external_data=True, location="theirs.data", size_threshold=16)
    for name, array in arrays.items():
        wanted = "float" if array.dtype == np.float32 else "double"
        same_elements(driver, tally, "external data of onnx", name, ("initializer", theirs, name), array, wanted)
    ours = driver.path("ours.onnx")
    for source in (theirs, ours):
        error = driver.run("outside", source, ours, "ours.data")
        tally.check("external data of sardonyx", source, error is None and os.path.exists(driver.path("ours.data")), error)
        found = {t.name: numpy_helper.to_array(t) for t in onnx.load(ours).graph.initializer}
        equal = found.keys() == arrays.keys() and all(found[n].tobytes() == arrays[n].tobytes() for n in arrays)
        tally.check("external data of sardonyx", "read by onnx", equal, "other elements")
    inside, error = driver.bytes_after("inside", ours)
    tally.check("external data of sardonyx", "back inside", inside == original, error or "other bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--archive", default=os.path.join(ROOT, "..", "shared", "data", "onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "backend-tests"))
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--messages", type=int, default=400)
    options = parser.parse_args()
    print(f"onnx {onnx.__version__}, seed {options.seed}")
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(options.tool, folder)
        backend_tests = unpacked(options.archive, options.folder, tally)
        if backend_tests:
            check_files(driver, tally, backend_tests)
        check_random_messages(driver, tally, options.seed, options.messages)
        check_types(driver, tally, options.seed)
        check_external_data(driver, tally, options.seed)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
