#!/usr/bin/env python3
"""Holds sardonyx's checkpoint reader and writer to torch, bit for bit: torch's files read by checkpoint_driver, its files read by torch.

usage: checkpoint_test.py --tool build/bin/checkpoint_driver [--seed N] [--random N]

Where torch is absent all is skipped, with the reason. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import collections
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

# torch's type: the name in ONNX, the name in safetensors.
TYPES = {
    torch.float32: ("float", "F32"),
    torch.float64: ("double", "F64"),
    torch.float16: ("float16", "F16"),
    torch.bfloat16: ("bfloat16", "BF16"),
    torch.uint8: ("uint8", "U8"),
    torch.int8: ("int8", "I8"),
    torch.int16: ("int16", "I16"),
    torch.int32: ("int32", "I32"),
    torch.int64: ("int64", "I64"),
    torch.bool: ("bool", "BOOL"),
    torch.complex64: ("complex64", "C64"),
    torch.complex128: ("complex128", None),
}


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


class Driver:
    """checkpoint_driver in one process, with a folder for its files."""

    def __init__(self, tool, folder):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder = folder

    def ask(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        expect(answer, f"checkpoint_driver died on {words}")
        return answer

    def do(self, *words):
        answer = self.ask(*words)
        expect(answer.startswith("ok "), f"{words}: {answer}")
        return answer[3:]

    def dump(self, path, key=""):
        self.do("dump", path, self.folder, key)
        with open(os.path.join(self.folder, "names.tsv"), encoding="utf-8", newline="\n") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        result = collections.OrderedDict()
        for index, (name, dtype, shape) in enumerate(rows):
            with open(os.path.join(self.folder, f"{index}.bin"), "rb") as file:
                result[name] = (dtype, [int(size) for size in shape.split(",") if size], file.read())
        return result

    def tree(self, path):
        self.do("tree", path, self.folder)
        with open(os.path.join(self.folder, "tree.json"), encoding="utf-8") as file:
            return json.load(file)


def raw_bytes(tensor):
    tensor = tensor.detach().contiguous().resolve_conj()
    if tensor.numel() == 0:
        return b""
    return bytes(tensor.clone().storage().untyped())


def expected(state):
    return {
        name: (TYPES[value.dtype][0], list(value.shape), raw_bytes(value))
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def compare(ours, theirs):
    expect(list(ours) == list(theirs), f"names {list(ours)[:5]}... instead of {list(theirs)[:5]}...")
    for name, (dtype, shape, data) in theirs.items():
        expect(ours[name][:2] == (dtype, shape), f"{name!r}: {ours[name][:2]} instead of {(dtype, shape)}")
        expect(ours[name][2] == data, f"{name!r}: the elements differ")


def random_tensor(rng, dtype, shape):
    count = int(np.prod(shape, dtype=np.int64))
    if dtype == torch.bool:
        return torch.tensor([rng.random() < 0.5 for _ in range(count)], dtype=dtype).reshape(shape)
    item = torch.empty(0, dtype=dtype).element_size()
    data = bytearray(rng.randbytes(max(count, 1) * item))  # any bits, NaN payloads too
    return torch.frombuffer(data, dtype=dtype, count=max(count, 1))[:count].reshape(shape).clone()


def every_dtype(rng):
    state = collections.OrderedDict()
    for dtype in TYPES:
        state[f"t.{dtype}"] = random_tensor(rng, dtype, (3, 5))
        state[f"scalar.{dtype}"] = random_tensor(rng, dtype, ())
        state[f"empty.{dtype}"] = random_tensor(rng, dtype, (2, 0, 3))
    return state


def views(rng):
    base = random_tensor(rng, torch.float32, (6, 8, 10))
    return {
        "base": base,
        "transposed": base.transpose(0, 2),
        "permuted": base.permute(1, 2, 0),
        "part": base[2:5],
        "column": base[:, 3, :],
        "stepped": base[::2, 1::3, ::4],
        "expanded": base[0, 0].expand(7, 10),
        "channels_last": random_tensor(rng, torch.float16, (2, 3, 4, 5)).to(memory_format=torch.channels_last),
        "diagonal": base[:, :, 0].diagonal(),
        "one": base[5, 7, 9],
        "slid": base.flatten().as_strided((5, 4), (2, 1), 7),
        "nothing": base[6:],
    }


def shared(rng):
    base = random_tensor(rng, torch.int32, (100,))
    other = random_tensor(rng, torch.int32, (100,))
    return collections.OrderedDict(a=base, b=base, c=base[10:20], d=base[50:], e=base.view(10, 10), f=other)


def module_state(rng):
    torch.manual_seed(rng.randrange(1 << 30))
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 4))
    state = model.state_dict(keep_vars=True)
    expect(hasattr(state, "_metadata"), "a state dict has _metadata")
    return state


def random_view(rng):
    dtype = rng.choice(list(TYPES))
    tensor = random_tensor(rng, dtype, tuple(rng.randrange(1, 6) for _ in range(rng.randrange(0, 5))))
    for _ in range(rng.randrange(4)):
        if tensor.dim() == 0:
            break
        axis = rng.randrange(tensor.dim())
        choice = rng.randrange(5)
        if choice == 0:
            tensor = tensor.transpose(axis, rng.randrange(tensor.dim()))
        elif choice == 1:
            length = 0 if rng.random() < 0.1 else max(tensor.shape[axis] - 1, 0)
            tensor = tensor.narrow(axis, rng.randrange(tensor.shape[axis] - length + 1), length)
        elif choice == 2 and tensor.shape[axis] > 0:
            tensor = tensor.select(axis, rng.randrange(tensor.shape[axis]))
        elif choice == 3:
            tensor = tensor.unsqueeze(axis).expand(*[3 if i == axis else -1 for i in range(tensor.dim() + 1)])
        elif choice == 4 and tensor.shape[axis] > 1:
            tensor = tensor[tuple(slice(None, None, 2) if i == axis else slice(None) for i in range(tensor.dim()))]
    return tensor


def random_state(rng):
    state = collections.OrderedDict()
    for index in range(rng.randrange(1, 12)):
        name = "".join(rng.choice("abcdefé✓._0123 ") for _ in range(rng.randrange(1, 12))) + str(index)
        earlier = [value for value in state.values()]
        if earlier and rng.random() < 0.3:
            value = rng.choice(earlier)
            state[name] = value.transpose(0, -1) if value.dim() > 1 else value
        else:
            state[name] = random_view(rng)
    return state


STATES = {"every dtype": every_dtype, "views": views, "shared": shared, "module": module_state}


def as_tree(value):
    """What checkpoint_driver's `tree` gives for a value."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).decode("latin-1")}
    if isinstance(value, torch.Tensor):
        return {"tensor": TYPES[value.dtype][0], "shape": list(value.shape)}
    if isinstance(value, np.ndarray):
        return as_tree(torch.from_numpy(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("=")))))
    if isinstance(value, np.generic):
        return as_tree(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return {"float": value}
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value)
    if isinstance(value, dict):
        return {"dict": [[as_tree(key), as_tree(item)] for key, item in value.items()]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(as_tree(item) for item in value)}
    tag = [as_tree(item) for item in value]
    return {"tuple": tag} if isinstance(value, tuple) else tag


def normalised(tree):
    """JSON of the driver with floats as numbers and sets in order."""
    if isinstance(tree, list):
        return [normalised(item) for item in tree]
    if isinstance(tree, dict):
        if "float" in tree:
            return {"float": float.fromhex(tree["float"])}
        if "set" in tree:
            return {"set": sorted(normalised(item) for item in tree["set"])}
        return {key: normalised(value) for key, value in tree.items()}
    return tree


def same_tree(ours, theirs):
    if isinstance(theirs, dict) and "float" in theirs and theirs["float"] != theirs["float"]:
        return ours["float"] != ours["float"]
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same_tree, ours, theirs))
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and ours.keys() == theirs.keys() and all(same_tree(ours[key], theirs[key]) for key in theirs)
    return type(ours) is type(theirs) and ours == theirs


def training_checkpoint():
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    return {
        "epoch": 17,
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "best": np.float64(0.75),
        "counts": np.arange(6, dtype=np.int64).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big_endian": np.arange(4, dtype=">i4"),
        "flag": np.bool_(True),
        "small": np.float16(1.5),
        "seeds": [2**63 - 1, -(2**63), 2**64 - 1, -(2**70), 0, 255, 256, 65536, -1, 2**200],
        "floats": [0.1, -0.0, float("inf"), float("nan"), 1e-310],
        "texts": ["", "é✓𝄞", "a" * 300, "line\nbreak\\u0041 'q' \"d\""],
        "blob": bytes(range(256)),
        "array": bytearray(b"xyz"),
        "nothing": None,
        "dtype": torch.float16,
        "device": torch.device("cuda", 1),
        "cpu": torch.device("cpu"),
        "size": torch.Size([1, 2, 3]),
        "set": {1, 2, 3},
        "tuple": (1, (2, [3, {}])),
        "counter": collections.Counter(),
        "defaults": collections.defaultdict(list),
        (1, 2): "tuple key",
        5: "int key",
        None: "none key",
        "rng": torch.get_rng_state(),
    }


def safetensors_of(path):
    """A reader of safetensors, written from its specification."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    expect((8 + length) % 8 == 0 and data[8:9] == b"{", "the header is aligned and starts with a brace")
    metadata = header.pop("__metadata__", {})
    body, position, result = data[8 + length :], 0, {}
    for name, entry in sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        begin, end = entry["data_offsets"]
        expect(begin == position, f"{name!r} starts at {begin}, not {position}")
        position = end
        result[name] = (entry["dtype"], entry["shape"], body[begin:end])
    expect(position == len(body), "the data end with the last tensor")
    return result, metadata


def write_safetensors(path, state, metadata, padding):
    header, body = {"__metadata__": metadata}, b""
    for name, value in state.items():
        data = raw_bytes(value)
        header[name] = {"shape": list(value.shape), "data_offsets": [len(body), len(body) + len(data)], "dtype": TYPES[value.dtype][1]}
        body += data
    text = json.dumps(header, ensure_ascii=padding % 2 == 0).encode() + b" " * padding
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


class Suite:
    def __init__(self, driver, folder, seed, count):
        self.driver, self.folder, self.seed, self.count = driver, folder, seed, count
        self.passed = self.failed = self.skipped = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def case(self, name, body):
        try:
            body()
            self.passed += 1
        except Exception as error:  # any failure of torch on our files counts too
            self.failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")

    def skip(self, name, reason):
        self.skipped += 1
        print(f"skipped {name}: {reason}")

    def run(self):
        for name, make in STATES.items():
            for protocol in (2, 3, 4, 5):
                self.reading(f"{name}, protocol {protocol}", make(random.Random(self.seed)), protocol)
            self.writing(name, make(random.Random(self.seed)))
        for index in range(self.count):
            self.reading(f"random {index}", random_state(random.Random(self.seed * 1000 + index)), 2 + index % 4)
            self.writing(f"random {index}", random_state(random.Random(self.seed * 1000 + index)))
        for protocol in (0, 1, 2, 3, 4, 5):
            self.trees(protocol)
        self.case("keys", self.keys)
        self.case("sharing survives", self.sharing)
        self.case("compressed zip", self.compressed)
        self.case("TorchScript is named", self.torchscript)
        self.case("globals are refused", self.hostile)
        self.case("a whole module is refused", self.whole_module)
        self.case("quantised and sparse tensors are refused", self.refused_tensors)
        self.peer_safetensors()

    def reading(self, name, state, protocol):
        for zipped in (True, False):

            def body(zipped=zipped):
                path = self.path("read.pth")
                torch.save(state, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
                compare(self.driver.dump(path), expected(state))

            self.case(f"read {name}, {'zip' if zipped else 'legacy'}", body)

    def writing(self, name, state):
        state = {key: value for key, value in state.items()}

        def body_pth():
            torch.save(state, self.path("in.pth"))
            self.driver.do("resave", self.path("in.pth"), self.path("out.pth"))
            for weights_only in (True, False):
                loaded = torch.load(self.path("out.pth"), weights_only=weights_only)
                expect(type(loaded) is collections.OrderedDict, "it is an OrderedDict")
                compare(expected(loaded), expected(state))
            expect(zipfile.ZipFile(self.path("out.pth")).testzip() is None, "every CRC is right")
            compare(self.driver.dump(self.path("out.pth")), expected(state))

        def body_safetensors():
            fitting = {key: value for key, value in state.items() if TYPES[value.dtype][1]}
            if not fitting:
                return
            torch.save(fitting, self.path("in.pth"))
            out = self.path("out.safetensors")
            self.driver.do("resave", self.path("in.pth"), out)
            ours, metadata = safetensors_of(out)
            theirs = {key: (TYPES[value.dtype][1], list(value.shape), raw_bytes(value)) for key, value in fitting.items()}
            expect(ours == theirs and metadata == {"format": "pt"}, "safetensors differ")
            expect(dict(self.driver.dump(out)) == expected(fitting), "reading back differs")
            for padding in range(3):
                write_safetensors(out, fitting, {"k": "v", "a": "é"}, padding)
                # Compared without order: it is that of the data, which empty tensors leave open.
                expect(dict(self.driver.dump(out)) == expected(fitting), "reading a peer's file differs")
                expect(self.driver.do("metadata", out) == "a=é k=v", "the metadata differ")

        self.case(f"write {name}, .pth", body_pth)
        self.case(f"write {name}, .safetensors", body_safetensors)

    def trees(self, protocol):
        for zipped in (True, False):

            def body(zipped=zipped):
                value = training_checkpoint()
                if protocol == 0:  # torch cannot read tensors of protocol 0 itself
                    value = {key: item for key, item in value.items() if key not in ("state_dict", "optimizer", "rng")}
                path = self.path("tree.pth")
                torch.save(value, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
                ours, theirs = normalised(self.driver.tree(path)), as_tree(value)
                for (key, ours_item), (_, theirs_item) in zip(ours["dict"], theirs["dict"]):
                    expect(same_tree(ours_item, theirs_item), f"{key}: {ours_item} instead of {theirs_item}")
                expect(same_tree(ours, theirs), "the trees differ")
                if "state_dict" in value:
                    compare(self.driver.dump(path), expected(value["state_dict"]))

            self.case(f"tree, protocol {protocol}, {'zip' if zipped else 'legacy'}", body)

    def keys(self):
        inner = {"w": torch.ones(2), "n": 3, "s": "x", "none": None}
        other = {"v": torch.zeros(1)}
        path = self.path("keys.pth")
        for value, key, theirs in (
            ({"model": inner, "optimizer": other}, "", inner),
            ({"ema": {"model": other}, "model": inner}, "ema.model", other),
            ({"a.b": {"c": other}, "a": inner}, "a.b.c", other),
            ({"model": {"state_dict": inner}, "rng": torch.zeros(3)}, "", inner),
            ({"params": other, "params_ema": inner}, "", inner),
            ({"mine": inner, "epoch": 3}, "", inner),
            ({3: torch.ones(1)}, "", {"3": torch.ones(1)}),
        ):
            torch.save(value, path)
            compare(self.driver.dump(path, key), expected(theirs))
        for value in ({"one": inner, "two": other}, {"epoch": 3}, [torch.ones(1)], torch.ones(1)):
            torch.save(value, path)
            answer = self.driver.ask("dump", path, self.folder)
            expect(answer.startswith("error InvalidArgument: checkpoint '") and "CheckpointOptions::key" in answer, answer)

    def sharing(self):
        state = shared(random.Random(self.seed))
        torch.save(state, self.path("in.pth"))
        self.driver.do("resave", self.path("in.pth"), self.path("out.pth"))
        loaded = torch.load(self.path("out.pth"), weights_only=True)
        expect(loaded["a"].data_ptr() == loaded["b"].data_ptr() == loaded["e"].data_ptr(), "a, b and e share")
        expect(loaded["c"].data_ptr() == loaded["a"].data_ptr() + 40, "c is a part of a")
        names = [name for name in zipfile.ZipFile(self.path("out.pth")).namelist() if "/data/" in name]
        expect(len(names) == 2, f"there are two storages, not {names}")

    def compressed(self):
        state = every_dtype(random.Random(self.seed))
        torch.save(state, self.path("in.pth"))
        with zipfile.ZipFile(self.path("in.pth")) as source, zipfile.ZipFile(self.path("out.pth"), "w", zipfile.ZIP_DEFLATED) as out:
            for name in source.namelist():
                out.writestr(name, source.read(name))
        compare(self.driver.dump(self.path("out.pth")), expected(state))

    def torchscript(self):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), self.path("script.pt"))
        answer = self.driver.ask("dump", self.path("script.pt"), self.folder)
        expect(answer.startswith("error Unsupported") and "TorchScript" in answer, answer)

    def refuses(self, value, *parts):
        for zipped in (True, False):
            path = self.path("refused.pth")
            torch.save(value, path, _use_new_zipfile_serialization=zipped)
            answer = self.driver.ask("dump", path, self.folder)
            expect(answer.startswith("error Unsupported: checkpoint '") and all(part in answer for part in parts), answer)

    def hostile(self):
        marker = self.path("executed")

        class Hostile:
            def __reduce__(self):
                return os.system, (f"touch {marker}",)

        self.refuses({"state_dict": {"w": torch.ones(1)}, "x": Hostile()}, "posix.system", "nothing was executed")
        self.refuses({"w": torch.ones(1), "args": argparse.Namespace(lr=1)}, "argparse.Namespace", "torch.save(model.state_dict(), path)")
        expect(not os.path.exists(marker), "something was executed")
        with open(self.path("plain.pkl"), "wb") as file:
            pickle.dump({"w": 1}, file)
        answer = self.driver.ask("dump", self.path("plain.pkl"), self.folder)
        expect(answer.startswith("error Unsupported") and "not one of torch.save" in answer, answer)

    def whole_module(self):
        self.refuses(torch.nn.Linear(2, 2), "state_dict()")

    def refused_tensors(self):
        self.refuses({"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, "quantised")
        self.refuses({"w": torch.eye(3).to_sparse()}, "sparse", "to_dense")

    def peer_safetensors(self):
        try:
            import safetensors.torch as peer
        except ImportError as missing:
            return self.skip("the safetensors package", str(missing))

        def body():
            state = {k: v for k, v in every_dtype(random.Random(self.seed)).items() if TYPES[v.dtype][1] not in (None, "C64")}
            torch.save(state, self.path("in.pth"))
            self.driver.do("resave", self.path("in.pth"), self.path("out.safetensors"))
            loaded = peer.load_file(self.path("out.safetensors"))
            expect({k: expected({k: v})[k] for k, v in loaded.items()} == expected(state), "the package reads something else")
            peer.save_file({k: v.contiguous() for k, v in state.items()}, self.path("peer.safetensors"))
            expect(dict(self.driver.dump(self.path("peer.safetensors"))) == expected(state), "we read something else than the package")

        self.case("the safetensors package", body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    parser.add_argument("--random", type=int, default=40)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(arguments.tool, folder)
        suite = Suite(driver, folder, arguments.seed, arguments.random)
        suite.run()
        driver.process.stdin.close()
        if driver.process.wait() != 0:
            suite.failed += 1
            print(f"FAILED checkpoint_driver ended with {driver.process.returncode}")
    print(f"{suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
