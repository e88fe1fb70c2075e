#!/usr/bin/env python3
"""Holds sardonyx's shape inference to onnx.shape_inference, with data propagation.

usage: infer_test.py --tool build/bin/infer_driver [--folder build/backend-tests] [--more FOLDER] [--only Op,Op]

Each model of ONNX's backend tests and of the folder --more is inferred as it stands, and again stripped of what it declares of its
values (value_info, shapes of outputs; in subgraphs too). For every value that onnx knows something of:
- nothing may contradict: element types, ranks, sizes, symbols;
- sardonyx must know at least as much. Where it does not, the value must be in the list KNOWN_LESS, with the reason; the list holds at most
  0.5 % of the values.
The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""
import argparse
import collections
import os
import sys
import tempfile

from model_test import Driver, Tally, files_of, read, unpacked

import onnx
import onnx.shape_inference

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = "/usr/share/libonnx-testdata"
# (operator, what is not inferred) -> reason
KNOWN_LESS = {
    ("Loop", "rank"): "onnx keeps the scalars of the sequence that the loop begins with, though its body inserts vectors",
    ("Split", "dimension 0"): "onnx cuts 5 into four parts of 2, 2, 2 and -1",
}
# (operator, what contradicts) -> reason why onnx is wrong
KNOWN_WRONG = {}


def subgraphs(graph):
    for i, node in enumerate(graph.node):
        for attribute in node.attribute:
            for k, inner in enumerate([attribute.g] if attribute.HasField("g") else attribute.graphs):
                yield f"{i}.{attribute.name}.{k}", inner


def strip(graph, is_main=True):
    del graph.value_info[:]
    for output in graph.output:
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    for _, inner in subgraphs(graph):
        strip(inner, False)


def values(graph, prefix=""):
    """name -> (type, operator that makes it) of all values that nodes make."""
    makers = {name: node.op_type for node in graph.node for name in node.output if name}
    found = {}
    for value in list(graph.value_info) + list(graph.output):
        if value.name in makers:
            found[prefix + value.name] = (value.type, makers[value.name])
    for path, inner in subgraphs(graph):
        found.update(values(inner, f"{prefix}{path}/"))
    return found


def operators(graph):
    for node in graph.node:
        yield node.op_type
    for _, inner in subgraphs(graph):
        yield from operators(inner)


def compare(ours, theirs):
    """Returns (contradictions, what ours lacks), each a list of words."""
    kind = theirs.WhichOneof("value")
    if kind is None:
        return [], []
    mine = ours.WhichOneof("value") if ours is not None else None
    if mine is None:
        return [], ["type"]
    if mine != kind:
        return [f"{mine} against {kind}"], []
    a, b = getattr(ours, kind), getattr(theirs, kind)
    if kind in ("sequence_type", "optional_type"):
        return compare(a.elem_type, b.elem_type)
    if kind == "map_type":
        return ([] if a.key_type == b.key_type else ["key type"], []) if b.key_type else ([], [])
    if kind == "opaque_type":
        return [], []
    return compare_tensors(a, b)


def compare_tensors(a, b):
    wrong, less = [], []
    if b.elem_type and a.elem_type != b.elem_type:
        (wrong if a.elem_type else less).append(f"element type {a.elem_type} against {b.elem_type}")
    if not b.HasField("shape"):
        return wrong, less
    if not a.HasField("shape"):
        return wrong, less + ["rank"]
    if len(a.shape.dim) != len(b.shape.dim):
        return wrong + [f"rank {len(a.shape.dim)} against {len(b.shape.dim)}"], less
    for i, (x, y) in enumerate(zip(a.shape.dim, b.shape.dim)):
        if y.HasField("dim_value"):
            if not x.HasField("dim_value"):
                less.append(f"dimension {i}")
            elif x.dim_value != y.dim_value:
                wrong.append(f"dimension {i} is {x.dim_value} against {y.dim_value}")
        elif y.dim_param and not y.dim_param.startswith("unk__"):
            if not x.HasField("dim_value") and x.dim_param != y.dim_param:
                less.append(f"symbol {i}")
    return wrong, less


class Suite:
    def __init__(self, arguments):
        self.scratch = tempfile.TemporaryDirectory()
        self.driver = Driver(arguments.tool, self.scratch.name)
        self.tally = Tally()
        self.arguments = arguments
        self.only = set(filter(None, arguments.only.split(",")))
        self.values = self.less = self.more = 0
        self.listed = collections.Counter()
        self.lacking = collections.Counter()

    def check(self, path, model, variant):
        try:
            theirs = values(onnx.shape_inference.infer_shapes(model, data_prop=True).graph)
        except Exception as error:  # its own lenient mode still throws on some models
            self.listed[f"onnx throws: {str(error).splitlines()[0][:60]}"] += 1
            return
        after, error = self.driver.bytes_after("infer", self.driver.put("in", model.SerializeToString()))
        if error:
            return self.tally.check("infer", f"{path} ({variant})", False, error)
        ours = values(onnx.ModelProto.FromString(after).graph)
        self.more += sum(1 for name in ours if name not in theirs)
        for name, (kind, operator) in theirs.items():
            wrong, less = compare(ours[name][0] if name in ours else None, kind)
            self.values += 1
            self.less += bool(less)
            for word in wrong:
                if (operator, word) in KNOWN_WRONG:
                    self.listed[KNOWN_WRONG[operator, word]] += 1
                else:
                    self.tally.check("infer", f"{path} ({variant}): '{name}' of {operator}", False, word)
            for word in less:
                reason = KNOWN_LESS.get((operator, word))
                if reason:
                    self.listed[f"{operator}: {word}: {reason}"] += 1
                else:
                    self.lacking[operator, word] += 1
                    self.tally.check("infer", f"{path} ({variant}): '{name}' of {operator}", False, f"{word} is not inferred")
            if not wrong and not less:
                self.tally.check("infer", name, True)

    def model(self, path):
        model = onnx.ModelProto()
        try:
            model.ParseFromString(read(path))
        except Exception:
            return
        if model.ByteSize() > 50_000_000 or (self.only and not self.only & set(operators(model.graph))):
            return
        self.check(path, model, "as it stands")
        strip(model.graph)
        self.check(path, model, "stripped")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--archive", default=os.path.join(ROOT, "../shared/data/onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build/backend-tests"))
    parser.add_argument("--more", default=MORE)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    suite = Suite(arguments)
    if not os.path.isdir(arguments.more):
        suite.tally.skip("libonnx-testdata", f"{arguments.more} is absent")
    for folder in (unpacked(arguments.archive, arguments.folder, suite.tally), arguments.more):
        for path in files_of(folder, ".onnx") if folder else []:
            suite.model(path)
    for (operator, word), count in sorted(suite.lacking.items()):
        print(f"lacking: {count} x {operator}: {word}")
    for reason, count in sorted(suite.listed.items()):
        print(f"listed: {count} x {reason}")
    share = 100 * (1 - suite.less / max(1, suite.values))
    print(f"{suite.values} values that onnx knows something of: as much is known of {share:.2f} %; {suite.more} values only sardonyx knows")
    suite.tally.check("share", "values of which as much is known", share >= 99.5, f"{share:.2f} %, below 99.5 %")
    return suite.tally.finish()


if __name__ == "__main__":
    sys.exit(main())
