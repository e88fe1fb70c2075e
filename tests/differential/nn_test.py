#!/usr/bin/env python3
"""Compares sardonyx::nn with PyTorch on the CPU: random numbers, initial weights, layers, functions, texts and errors.

Usage: nn_test.py --tool DRIVER [--seed N] [--rounds N]. DRIVER is the program built from nn_driver.cc. The last line reads
"N passed, M failed, K skipped". Without PyTorch, all is skipped.

What PyTorch draws for uniform numbers is expected to the bit, normal numbers and initial weights to 1e-6, outputs to
2e-6 relative to the largest output (at least 1). PyTorch builds with MKL draw dropout masks otherwise; then those
cases are skipped.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

try:
    import numpy as np
    import torch
    from torch import nn
    import torch.nn.functional as F
    from superres_net import SuperResolutionNet
except ImportError as error:
    print(f"skipped: {error}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

WEIGHTS = 1e-6
OUTPUTS = 2e-6
NUMPY_TYPES = {"float": np.float32, "double": np.float64, "int64": np.int64, "float16": np.float16}
NAMES = {torch.float32: "float", torch.float64: "double", torch.int64: "int64", torch.float16: "float16"}


class Driver:
    """The program under test; answers hold "tensors", "texts" and "error"."""

    def __init__(self, path, folder):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.folder = Path(folder)
        self.files = 0

    def __call__(self, verb, **arguments):
        line = " ".join([verb] + [f"{name}={value}" for name, value in arguments.items() if value is not None])
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        tensors, texts, error = [], {}, None
        while True:
            head = self.process.stdout.readline().decode().split()
            if not head:
                raise RuntimeError(f"the driver ended on: {line}")
            if head[0] == "end":
                return tensors, texts, error
            body = self.process.stdout.read(int(head[-1]))
            if head[0] == "tensor":
                shape = [] if head[3] == "-" else [int(size) for size in head[3].split("x")]
                tensors.append((head[1], np.frombuffer(body, NUMPY_TYPES[head[2]]).reshape(shape)))
            elif head[0] == "text":
                texts[head[1]] = body.decode()
            else:
                error = body.decode()

    def file(self, data):
        self.files += 1
        path = self.folder / str(self.files)
        path.write_bytes(data)
        return path

    def tensor(self, tensor):
        return f"{self.file(tensor.numpy().tobytes())}:{NAMES[tensor.dtype]}:{sizes(tensor.shape)}"

    def inputs(self, tensors):
        return {f"in{i}": self.tensor(tensor) for i, tensor in enumerate(tensors)}


def sizes(shape):
    if isinstance(shape, int):
        return str(shape)
    return "x".join(str(size) for size in shape) or "-"


class Suite:
    def __init__(self, driver, seed, rounds):
        self.driver, self.rounds = driver, rounds
        self.random = random.Random(seed)
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.worst = {}

    def check(self, group, what, difference, bound):
        self.worst[group] = max(self.worst.get(group, 0), difference)
        if difference <= bound:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {group}: {what}: difference {difference:.3g} > {bound:.3g}")

    def expect(self, group, what, good, told=""):
        self.check(group, f"{what} {told}", 0 if good else float("inf"), 0)

    def compare(self, group, what, answer, expected, bound):
        tensors, _, error = answer
        if error is not None:
            self.expect(group, what, False, error)
        elif len(tensors) != 1:
            self.expect(group, what, False, f"{len(tensors)} tensors")
        else:
            self.check(group, what, difference(tensors[0][1], expected), bound)

    def seed(self, value):
        torch.manual_seed(value)
        self.driver("seed", value=value)


def difference(got, expected):
    """Largest absolute difference, relative to the largest expected magnitude where that is above 1."""
    expected = expected.detach().numpy()
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if got.size == 0:
        return 0
    if np.isnan(got).any() or np.isnan(expected).any():
        return float("inf")
    gap = np.abs(got.astype(np.float64) - expected.astype(np.float64)).max()
    return gap / max(1, np.abs(expected).max())


def test_random(suite):
    dtypes = (("float", torch.float32), ("double", torch.float64))
    for size in list(range(1, 41)) + [1000, 4096, 100003]:
        for name, dtype in dtypes:
            suite.seed(size * 7 + 1)
            for _ in range(2):  # the second call meets what the first left in the generator
                suite.compare("rand", f"{name} {size}", suite.driver("rand", dtype=name, shape=size), torch.rand(size, dtype=dtype), 0)
                suite.compare("randn", f"{name} {size}", suite.driver("randn", dtype=name, shape=size), torch.randn(size, dtype=dtype), WEIGHTS)
    for seed in (0, 1, 2**31, 2**32 - 1, 2**32 + 5, 2**63 - 1):
        suite.seed(seed)
        suite.compare("rand", f"seed {seed}", suite.driver("rand", shape="3x5"), torch.rand(3, 5), 0)
    for low, high in ((0, 10), (-5, 6), (0, 2**31), (-(2**40), 2**40), (0, 2**32), (0, 2**32 - 1), (0, 1)):
        suite.seed(3)
        got = suite.driver("randint", low=low, high=high, shape="4x9")
        suite.compare("randint", f"{low}..{high}", got, torch.randint(low, high, (4, 9)), 0)
    for n in (0, 1, 2, 17, 1000):
        suite.seed(4)
        suite.compare("randperm", str(n), suite.driver("randperm", n=n), torch.randperm(n), 0)


INITS = (
    ("uniform_", {"a": -0.3, "b": 0.7}, 2),
    ("uniform_", {"a": -1e-3, "b": 5.1}, 1),
    ("normal_", {"mean": 0.5, "std": 2.0}, 1),
    ("trunc_normal_", {}, 1),
    ("trunc_normal_", {"mean": 0.1, "std": 0.02, "a": -0.05, "b": 2.0}, 1),
    ("constant_", {"val": 0.3}, 1),
    ("ones_", {}, 1),
    ("zeros_", {}, 1),
    ("eye_", {}, "2"),
    ("dirac_", {}, "3-5"),
    ("xavier_uniform_", {"gain": 1.7}, 2),
    ("xavier_normal_", {}, 2),
    ("kaiming_uniform_", {"a": 0.2, "mode": "fan_out"}, 2),
    ("kaiming_uniform_", {"nonlinearity": "relu"}, 2),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}, 2),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, 2),
    ("orthogonal_", {"gain": 1.3}, 2),
    ("sparse_", {"sparsity": 0.35, "std": 0.1}, "2"),
)
SHAPES = ((3,), (40,), (4, 3), (3, 4), (9, 9), (33, 17), (8, 4, 3), (6, 2, 3, 5), (64, 1, 5, 5), (9, 32, 3, 3), (4, 2, 3, 4, 3))


def test_inits(suite):
    for name, arguments, rank in INITS:
        low, high = {"2": (2, 2), "3-5": (3, 5)}.get(rank, (rank, 9))
        for shape in (shape for shape in SHAPES if low <= len(shape) <= high):
            for type_name, dtype in (("float", torch.float32), ("double", torch.float64)):
                suite.seed(11)
                got = suite.driver("init", name=name, dtype=type_name, shape=sizes(shape), **arguments)
                expected = getattr(nn.init, name)(torch.empty(shape, dtype=dtype), **arguments)
                # The columns of a square orthogonal matrix are known only as well as PyTorch's own precision allows.
                square = name == "orthogonal_" and shape[0] ** 2 == expected.numel()
                suite.compare(name, f"{type_name} {shape} {arguments}", got, expected, 1e-5 if square else WEIGHTS)
    for groups in (1, 2, 3):
        got = suite.driver("init", name="dirac_", shape="6x2x3x3", groups=groups)
        suite.compare("dirac_", f"groups {groups}", got, nn.init.dirac_(torch.empty(6, 2, 3, 3), groups), 0)


def tree():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(True),
        nn.Sequential(OrderedDict(conv=nn.Conv2d(4, 4, 3, padding=1, bias=False), norm=nn.BatchNorm2d(4), act=nn.LeakyReLU(0.2, inplace=True))),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(64, 10),
        nn.Dropout(0.25),
        nn.Softmax(1),
    )


def randomise(module):
    """Weights of order 1 / sqrt(fan), so that outputs are of order 1; positive variances."""
    for name, tensor in module.state_dict().items():
        if tensor.dtype != torch.float32:
            continue
        tensor.normal_()
        if tensor.dim() > 1:
            tensor.div_((tensor.numel() / tensor.shape[0]) ** 0.5)
        if name.endswith("running_var"):
            tensor.abs_().add_(0.1)


def state_bytes(module):
    return b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())


def compare_layer(suite, kind, make, arguments, inputs, train=False, slack=1):
    """Constructs under one seed, compares text and weights; then loads random weights and compares outputs to `slack` times OUTPUTS."""
    what = f"{kind} {arguments} {[tuple(x.shape) for x in inputs]}"
    seed = suite.random.randrange(2**32)
    suite.seed(seed)
    module = make()
    tensors, texts, error = suite.driver("layer", kind=kind, **arguments)
    if error is not None:
        suite.expect("construct", what, False, error)
        return
    suite.expect("text", what, texts["repr"] == repr(module), f"{texts['repr']} is not {module!r}")
    expected = list(module.state_dict().items())
    suite.expect("state", what, [name for name, _ in tensors] == [name for name, _ in expected], f"names {[name for name, _ in tensors]}")
    for (name, got), (_, tensor) in zip(tensors, expected):
        suite.check("weights", f"{what} {name}", difference(got, tensor), WEIGHTS)
    if inputs:
        compare_forward(suite, what, kind, module, arguments, inputs, train, slack)


def compare_forward(suite, what, kind, module, arguments, inputs, train, slack):
    with torch.no_grad():
        randomise(module)
    state = suite.driver.file(state_bytes(module))
    module.train(train)
    given = suite.driver.inputs(inputs)  # before PyTorch's in-place layers change them
    suite.seed(77)
    with torch.no_grad():
        outputs = [module(x) for x in inputs]
    tensors, _, error = suite.driver("layer", kind=kind, state=state, train=int(train), **given, **arguments)
    if error is not None:
        suite.expect("forward", what, False, error)
        return
    expected = outputs + list(module.state_dict().values())
    suite.expect("forward", what, len(tensors) == len(expected), f"{len(tensors)} tensors instead of {len(expected)}")
    for (name, got), tensor in zip(tensors, expected):
        suite.check("forward" if name == "output" else "state after", f"{what} {name}", difference(got, tensor), OUTPUTS * slack)


def conditioning(inputs, eps):
    """How much normalising by the batch's own statistics magnifies rounding: the largest |x| / deviation of a channel."""
    channels = [x.transpose(0, 1).flatten(1) for x in inputs]
    return max(1, max((x.abs().amax(1) / (x.var(1, unbiased=False) + eps).sqrt()).max().item() for x in channels))


def image(suite, channels, least, most=19):
    rank3 = suite.random.random() < 0.2
    shape = ([] if rank3 else [suite.random.choice((1, 1, 2, 3))]) + [channels] + [suite.random.randint(least, most) for _ in range(2)]
    return torch.randn(shape)


def pick_size(suite, low, high):
    """A number or a pair, for PyTorch and for the driver."""
    value = suite.random.randint(low, high)
    if suite.random.random() < 0.5:
        value = (value, suite.random.randint(low, high))
    return value


def both(value):
    return (value, value) if isinstance(value, int) else value


def test_convolutions(suite):
    for _ in range(suite.rounds):
        groups = suite.random.choice((1, 1, 1, 2, 3, 4))
        inputs, outputs = groups * suite.random.randint(1, 5), groups * suite.random.randint(1, 6)
        kernel, stride, dilation = pick_size(suite, 1, 5), pick_size(suite, 1, 3), pick_size(suite, 1, 2)
        padding = suite.random.choice((0, pick_size(suite, 0, 3), "same", "valid"))
        if padding == "same":
            stride = 1
        bias = suite.random.random() < 0.7
        arguments = {
            "in_channels": inputs, "out_channels": outputs, "kernel": sizes(kernel), "stride": sizes(stride), "dilation": sizes(dilation),
            "padding": padding if isinstance(padding, str) else sizes(padding), "groups": groups, "bias": int(bias),
        }
        make = lambda: nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias)
        compare_layer(suite, "Conv2d", make, arguments, [image(suite, inputs, 10)])


def test_pooling(suite):
    for _ in range(suite.rounds):
        kernel, dilation = pick_size(suite, 1, 4), pick_size(suite, 1, 2)
        stride = suite.random.choice((None, pick_size(suite, 1, 4)))
        padding = suite.random.randint(0, min(both(kernel)) // 2)
        ceil = suite.random.random() < 0.5
        x = image(suite, suite.random.randint(1, 5), 8)
        arguments = {"kernel": sizes(kernel), "stride": None if stride is None else sizes(stride), "padding": padding, "ceil": int(ceil)}
        compare_layer(suite, "MaxPool2d", lambda: nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil),
                      {**arguments, "dilation": sizes(dilation)}, [x])
        include = suite.random.random() < 0.5
        compare_layer(suite, "AvgPool2d", lambda: nn.AvgPool2d(kernel, stride, padding, ceil, include), {**arguments, "include_pad": int(include)}, [x])
        divisor = suite.random.choice((1, 3, 7))
        compare_layer(suite, "AvgPool2d", lambda: nn.AvgPool2d(kernel, stride, padding, divisor_override=divisor),
                      {**arguments, "ceil": 0, "divisor": divisor}, [x])
        output = pick_size(suite, 1, 12)
        compare_layer(suite, "AdaptiveAvgPool2d", lambda: nn.AdaptiveAvgPool2d(output), {"output": sizes(output)}, [x])


def test_norms(suite):
    for _ in range(suite.rounds):
        features = suite.random.randint(1, 9)
        momentum = suite.random.choice((0.1, 0.3, None))
        affine, track, train = (suite.random.random() < 0.6 for _ in range(3))
        eps = suite.random.choice((1e-5, 1e-3))
        arguments = {"features": features, "eps": eps, "momentum": "none" if momentum is None else momentum, "affine": int(affine), "track": int(track)}
        images = [torch.randn(suite.random.randint(1, 4), features, suite.random.randint(2, 6), 5) * 2 + 1 for _ in range(2)]
        rows = [torch.randn(suite.random.randint(2, 7), features) for _ in range(2)] + [torch.randn(3, features, 4)]
        for kind, inputs in (("BatchNorm2d", images), ("BatchNorm1d", rows)):
            slack = conditioning(inputs, eps) if train or not track else 1
            compare_layer(suite, kind, lambda: getattr(nn, kind)(features, eps, momentum, affine, track), arguments, inputs, train, slack)


def test_linear_layers(suite):
    for _ in range(suite.rounds):
        inputs, outputs, bias = suite.random.randint(1, 70), suite.random.randint(1, 50), suite.random.random() < 0.7
        shape = [suite.random.randint(1, 5) for _ in range(suite.random.randint(0, 3))] + [inputs]
        arguments = {"in_features": inputs, "out_features": outputs, "bias": int(bias)}
        compare_layer(suite, "Linear", lambda: nn.Linear(inputs, outputs, bias), arguments, [torch.randn(shape)])


def test_simple_layers(suite):
    for _ in range(suite.rounds // 2):
        x = torch.randn([suite.random.randint(1, 5) for _ in range(suite.random.randint(1, 4))]) * 3
        for kind in ("Sigmoid", "Tanh", "Identity"):
            compare_layer(suite, kind, getattr(nn, kind), {}, [x])
        inplace = suite.random.random() < 0.5
        compare_layer(suite, "ReLU", lambda: nn.ReLU(inplace), {"inplace": int(inplace)}, [x.clone()])
        compare_layer(suite, "LeakyReLU", lambda: nn.LeakyReLU(0.2, inplace), {"slope": 0.2, "inplace": int(inplace)}, [x.clone()])
        dim = suite.random.randrange(-x.dim(), x.dim())
        compare_layer(suite, "Softmax", lambda: nn.Softmax(dim), {"dim": dim}, [x])
        start = suite.random.randrange(x.dim())
        end = suite.random.choice((-1, suite.random.randrange(start, x.dim())))
        compare_layer(suite, "Flatten", lambda: nn.Flatten(start, end), {"start": start, "end": end}, [x])
        factor = suite.random.randint(1, 4)
        shuffled = image(suite, factor**2 * suite.random.randint(1, 4), 1, 6)
        compare_layer(suite, "PixelShuffle", lambda: nn.PixelShuffle(factor), {"factor": factor}, [shuffled])
        unshuffled = torch.randn(2, 3, factor * suite.random.randint(1, 4), factor * suite.random.randint(1, 4))
        compare_layer(suite, "PixelUnshuffle", lambda: nn.PixelUnshuffle(factor), {"factor": factor}, [unshuffled])


def test_dropout(suite):
    for p in (0.0, 0.25, 0.5, 0.9, 1.0):
        for train in (False, True):
            if train and 0 < p < 1 and torch.backends.mkl.is_available():
                suite.skipped += 1
                continue
            for inplace in (False, True):
                compare_layer(suite, "Dropout", lambda: nn.Dropout(p, inplace), {"p": p, "inplace": int(inplace)},
                              [torch.randn(3, 50), torch.randn(7)], train)


def test_networks(suite):
    for factor in (2, 3, 4):
        compare_layer(suite, "SuperResolutionNet", lambda: SuperResolutionNet(factor), {"factor": factor},
                      [torch.rand(1, 1, 20, 31), torch.rand(2, 1, 17, 9)])
    suite.seed(0)
    expected = SuperResolutionNet(3)
    tensors, _, _ = suite.driver("layer", kind="SuperResolutionNet", factor=3)
    suite.expect("SuperResolutionNet(3), seed 0", "state", len(tensors) == 8, f"{len(tensors)} tensors")
    for (name, got), tensor in zip(tensors, expected.state_dict().values()):
        suite.check("SuperResolutionNet(3), seed 0", name, difference(got, tensor), WEIGHTS)
    compare_layer(suite, "Tree", tree, {}, [torch.randn(2, 1, 10, 10)])


def call(suite, name, expected, inputs, **arguments):
    what = f"{name} {[tuple(x.shape) for x in inputs]} {arguments}"
    got = suite.driver("call", name=name, **suite.driver.inputs(inputs), **arguments)
    suite.compare("functions", what, got, expected.contiguous(), OUTPUTS)


def test_functions(suite):
    a, b, c = torch.randn(2, 3, 4), torch.randn(3, 1), torch.rand(2, 3, 4) + 0.5
    call(suite, "add", torch.add(a, b, alpha=2.5), [a, b], alpha=2.5)
    call(suite, "sub", torch.sub(a, b, alpha=-1.5), [a, b], alpha=-1.5)
    call(suite, "mul", a * b, [a, b])
    call(suite, "div", a / c, [a, c])
    call(suite, "numbers", 2.5 * (a + 1) / 3 - 0.5, [a])
    call(suite, "matmul", torch.matmul(a, a.transpose(1, 2)), [a, a.transpose(1, 2).contiguous()])
    call(suite, "clamp", a.clamp(-0.5, 0.25), [a], min=-0.5, max=0.25)
    call(suite, "clamp", a.clamp(min=0.1), [a], min=0.1)
    call(suite, "clamp", a.clamp(max=0.1), [a], max=0.1)
    for dim in (0, 1, 2, -1, -3):
        call(suite, "cat", torch.cat([a, c, a], dim), [a, c, a], dim=dim)
        call(suite, "softmax", torch.softmax(a, dim), [a], dim=dim)
    x = torch.randn(2, 1, 3, 5)
    call(suite, "flatten", x.flatten(), [x])
    call(suite, "flatten", x.flatten(1, 2), [x], start=1, end=2)
    call(suite, "flatten", torch.tensor(3.0).flatten(), [torch.tensor(3.0)])
    call(suite, "reshape", x.reshape(5, -1, 2), [x], shape="5x-1x2")
    call(suite, "permute", x.permute(3, 0, -2, 1), [x], dims="3x0x-2x1")
    call(suite, "transpose", x.transpose(-1, 0), [x], dim0=-1, dim1=0)
    for dim in (0, 2, 4, -1, -5):
        call(suite, "unsqueeze", x.unsqueeze(dim), [x], dim=dim)
    for dim in (0, 1, -3, 3):
        call(suite, "squeeze", x.squeeze(dim), [x], dim=dim)


def fails(suite, name, make, inputs, text=None, **arguments):
    """Both refuse; ours says `text`, or where that is None, PyTorch's own words."""
    try:
        make(*inputs)
        told = None
    except (RuntimeError, ValueError, IndexError) as error:
        told = str(error)
    _, _, error = suite.driver("call", name=name, **suite.driver.inputs(inputs), **arguments)
    wanted = text if text is not None else told
    good = told is not None and error is not None and wanted in error
    suite.expect("errors", name, good, f"\n  ours:    {error}\n  PyTorch: {told}")


def test_errors(suite):
    x = torch.randn(2, 4, 6, 6)
    w = torch.randn(8, 4, 3, 3)
    fails(suite, "conv2d", F.conv2d, [torch.randn(2, 3, 6, 6), w])
    fails(suite, "conv2d", F.conv2d, [torch.randn(6, 6), w])
    fails(suite, "conv2d", F.conv2d, [torch.randn(2, 4, 2, 2), w])
    fails(suite, "conv2d", F.conv2d, [x, w, torch.randn(7)])
    fails(suite, "conv2d", lambda a, b: F.conv2d(a, b, padding="same", stride=2), [x, w], padding="same", stride=2)
    fails(suite, "conv2d", lambda a, b: F.conv2d(a, b, groups=2), [x, w], groups=2)
    fails(suite, "conv2d", lambda a, b: F.conv2d(a, b, stride=0), [x, w], text="stride", stride=0)
    fails(suite, "conv2d", F.conv2d, [x.double(), w], text="double")
    fails(suite, "linear", F.linear, [torch.randn(2, 3), torch.randn(5, 4)], text="[2, 3]")
    fails(suite, "pixel_shuffle", lambda a: F.pixel_shuffle(a, 3), [x], factor=3)
    fails(suite, "max_pool2d", lambda a: F.max_pool2d(a, 3, padding=2), [x], kernel=3, padding=2)
    fails(suite, "max_pool2d", lambda a: F.max_pool2d(a, 7), [x], text="Calculated output size: (4 x 0 x 0). Output size is too small", kernel=7)
    fails(suite, "batch_norm", lambda a, m, v: F.batch_norm(a, m, v), [x, torch.zeros(3), torch.ones(3)])
    fails(suite, "batch_norm", lambda a: F.batch_norm(a, None, None, training=True), [torch.randn(1, 4, 1, 1)], train=1)
    fails(suite, "flatten", lambda a: a.flatten(2, 1), [x], start=2, end=1)
    fails(suite, "flatten", lambda a: a.flatten(4), [x], start=4)
    fails(suite, "softmax", lambda a: a.softmax(-5), [x], dim=-5)
    fails(suite, "add", lambda a, b: a + b, [torch.randn(2, 3), torch.randn(4)])
    fails(suite, "cat", lambda *a: torch.cat(a, 1), [torch.randn(2, 3), torch.randn(4, 3)], dim=1)
    fails(suite, "dropout", lambda a: F.dropout(a, 1.5), [x], p=1.5)
    fails(suite, "reshape", lambda a: a.reshape(5, -1), [x], text="[2, 4, 6, 6]", shape="5x-1")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", dest="driver", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40, help="random cases per kind of layer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(Driver(options.driver, folder), options.seed, options.rounds)
        torch.manual_seed(options.seed)
        for test in (test_random, test_inits, test_convolutions, test_pooling, test_norms, test_linear_layers, test_simple_layers,
                     test_dropout, test_networks, test_functions, test_errors):
            test(suite)
    print(f"seed {options.seed}; largest differences:")
    for group, worst in suite.worst.items():
        print(f"  {group}: {worst:.3g}")
    print(f"{suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
