#!/usr/bin/env python3
"""Holds sardonyx's model surgery to onnx.utils, onnx.compose and onnx.inliner.

usage: edit_test.py --tool build/bin/edit_driver [--archive FILE] [--folder build/backend-tests] [--more FOLDER] [--seed N] [--functions N]

Over the models of ONNX's backend tests, of the folder --more (Debian's libonnx-testdata) and random models with functions:
1. extract: parts between random values, the same nodes, tensors and functions as onnx.utils.Extractor gives.
2. prefix, merge: the same as onnx.compose; where graphs have subgraphs (in which onnx's own renaming misses names), the result must pass
   onnx.checker and have the structure of the source.
3. inline: the structure that onnx.inliner gives, and the numbers that onnxruntime computes before.
4. rename there and back gives the same model; batch sets the first size of all inputs.
5. diff: nothing between a model and itself, one difference after one change.
The seed is printed. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import collections
import os
import random
import sys
import tempfile

from model_test import Driver, Tally, files_of, unpacked
from text_test import content

import numpy as np
import onnx
import onnx.compose
import onnx.inliner
import onnx.shape_inference
import onnx.utils
import onnxruntime
from onnx import AttributeProto, TensorProto, helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = "/usr/share/libonnx-testdata"
LARGEST = 4 << 20  # bytes of a model: surgery on larger ones shows nothing more


def has_subgraphs(model):
    nodes = [node for part in (model.graph, *model.functions) for node in part.node]
    return any(a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for n in nodes for a in n.attribute)


def with_defaults_given(model):
    """The model with the defaults of functions written into their calls: onnx's inliner leaves them out."""
    defaults = {(f.domain, f.name): list(f.attribute_proto) for f in model.functions}
    explicit = onnx.ModelProto.FromString(model.SerializeToString())
    open_lists = [part.node for part in (explicit.graph, *explicit.functions)]
    while open_lists:
        for node in open_lists.pop():
            given = {a.name for a in node.attribute}
            node.attribute.extend(a for a in defaults.get((node.domain, node.op_type), []) if a.name not in given)
            open_lists += [graph.node for a in node.attribute for graph in ([a.g] if a.HasField("g") else a.graphs)]
    return explicit


def names_of(values):
    return [value.name for value in values]


def by_name(protos):
    return sorted(map(content, protos))


def checker_refuses(model):
    """onnx.checker's words, or None."""
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        return str(error)
    return None


def definitions(model):
    graph = model.graph
    made = [name for node in graph.node for name in node.output if name]
    return made + names_of(graph.input) + names_of(graph.initializer)


def outputs_of(model, feeds):
    """What onnxruntime computes, without changing the graph first."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


class Comparison:
    def __init__(self, driver, tally, chance):
        self.driver, self.tally, self.chance = driver, tally, chance
        self.apart = collections.Counter()

    def model_after(self, verb, path, *words, out="out"):
        out = self.driver.path(out)
        error = self.driver.run(verb, path, out, *words)
        return (None, error) if error else (onnx.load(out, load_external_data=False), None)

    def everything_of(self, path):
        try:
            model = onnx.load(path)
        except Exception as error:
            self.apart[f"not read by onnx: {type(error).__name__}"] += 1
            return
        valid = checker_refuses(model) is None
        self.extract(path, model, valid)
        self.prefix(path, model, valid)
        self.merge(path, model, valid)
        self.rename(path, model)
        self.batch(path, model)
        self.diff(path, model)
        if model.functions:
            self.inline(path, model)

    # ---- extract ----

    def extract(self, path, model, valid):
        try:
            model = onnx.shape_inference.infer_shapes(model)
        except Exception as error:
            self.apart["extract: types not inferred by onnx"] += 1
            return
        source = self.driver.put("typed.onnx", model.SerializeToString())
        typed = {v.name for v in [*model.graph.input, *model.graph.output, *model.graph.value_info] if self.fit_for_boundary(v.type)}
        inner = [name for node in model.graph.node for name in node.output if name in typed]
        if not inner:
            self.apart["extract: no typed values"] += 1
            return
        inputs = names_of(model.graph.input)
        outputs = self.chance.sample(inner, min(len(inner), self.chance.choice([1, 1, 2])))
        others = [name for name in inner if name not in outputs]
        if others and self.chance.random() < 0.5:
            inputs = inputs + [self.chance.choice(others)]
        if model.graph.sparse_initializer or model.graph.quantization_annotation:
            self.apart["extract: sparse tensors or annotations, which onnx refuses"] += 1
            return
        ours, error = self.model_after("extract", source, "|".join(inputs), "|".join(outputs))
        if ours is None:
            self.tally.check("extract", path, False, error)
            return
        theirs = onnx.utils.Extractor(model).extract_model(inputs, outputs)
        if has_subgraphs(model):
            self.tally.check("extract, subgraphs: valid", path, not valid or not checker_refuses(ours), checker_refuses(ours))
            return
        self.tally.check("extract: as onnx", path, *self.same_parts(ours, theirs, set(inputs)))

    @staticmethod
    def fit_for_boundary(kind):
        """onnx.checker wants a shape of every tensor there."""
        which = kind.WhichOneof("value")
        return which is not None and (which != "tensor_type" or kind.tensor_type.HasField("shape"))

    @staticmethod
    def same_parts(ours, theirs, cut):
        a, b = ours.graph, theirs.graph
        # Outputs that are inputs now get another name here; onnx leaves two definitions.
        renamed = {name for node in b.node for name in node.output} & cut
        for node in [*a.node, *b.node]:
            node.output[:] = ["" if name in renamed or name.removesuffix("_unused") in renamed else name for name in node.output]
        for what, x, y in (("nodes", [n.SerializeToString() for n in a.node], [n.SerializeToString() for n in b.node]),
                           ("inputs", [n.SerializeToString() for n in a.input], [n.SerializeToString() for n in b.input]),
                           ("outputs", [n.SerializeToString() for n in a.output], [n.SerializeToString() for n in b.output]),
                           ("functions", by_name(ours.functions), by_name(theirs.functions)),
                           ("opsets", by_name(ours.opset_import), by_name(theirs.opset_import))):
            if x != y:
                return False, f"other {what}"
        # onnx repeats inputs and outputs in value_info, and leaves out constants that only an output names.
        known = {*names_of(a.input), *names_of(a.output)}
        theirs_info = sorted(v.name for v in b.value_info if v.name not in known)
        if sorted(names_of(a.value_info)) != theirs_info:
            return False, f"value_info {sorted(names_of(a.value_info))} {theirs_info}"
        outputs = set(names_of(b.output))
        used = [t for t in a.initializer if t.name not in outputs and t.name not in cut]
        return by_name(used) == by_name(t for t in b.initializer if t.name not in outputs and t.name not in cut), "other initializers"

    # ---- prefix ----

    def prefix(self, path, model, valid):
        chosen = {kind: self.chance.random() < 0.7 for kind in ("nodes", "values", "inputs", "outputs", "initializers", "functions")}
        if has_subgraphs(model):
            chosen = dict.fromkeys(chosen, True)
        which = "|".join(kind for kind, on in chosen.items() if on)
        ours, error = self.model_after("prefix", path, "p_", which)
        if ours is None:
            self.tally.check("prefix", path, False, error)
            return
        if has_subgraphs(model):
            if not model.functions:
                error = self.driver.run("equal", path, self.driver.path("out"), "names")
                self.tally.check("prefix, subgraphs: the same structure", path, error is None, error)
            self.tally.check("prefix, subgraphs: valid", path, not valid or not checker_refuses(ours), checker_refuses(ours))
            return
        theirs = onnx.compose.add_prefix(onnx.load(path, load_external_data=False), "p_", rename_nodes=chosen["nodes"], rename_edges=chosen["values"],
                                         rename_inputs=chosen["inputs"], rename_outputs=chosen["outputs"], rename_initializers=chosen["initializers"],
                                         rename_value_infos=False, rename_functions=chosen["functions"])
        if model.graph.sparse_initializer or model.graph.quantization_annotation:
            self.apart["prefix: sparse tensors or annotations"] += 1
            return
        self.tally.check("prefix: as onnx", path, self.equal(ours, theirs), f"other model for {which}")

    @staticmethod
    def equal(a, b):
        return content(a) == content(b)

    # ---- merge ----

    def merge(self, path, model, valid):
        pair = self.connectable(model)
        if pair is None or not valid:
            self.apart["merge: no output fits an input, or not valid"] += 1
            return
        out = self.driver.path("merged")
        error = self.driver.run("merge", path, path, out, f"{pair[0]}={pair[1]}", "a_", "b_")
        if error:
            self.tally.check("merge", path, False, error)
            return
        ours = onnx.load(out, load_external_data=False)
        self.tally.check("merge: valid", path, not checker_refuses(ours), checker_refuses(ours))
        try:
            theirs = onnx.compose.merge_models(model, model, [pair], prefix1="a_", prefix2="b_")
        except Exception as error:
            self.apart[f"merge: not merged by onnx: {type(error).__name__}" + (", subgraphs" if has_subgraphs(model) else "")] += 1
            return
        if has_subgraphs(model):
            return
        a, b = ours.graph, theirs.graph
        same = (by_name(a.node) == by_name(b.node) and names_of(a.input) == names_of(b.input) and names_of(a.output) == names_of(b.output)
                and by_name(a.initializer) == by_name(b.initializer) and sorted(names_of(a.value_info)) == sorted(names_of(b.value_info))
                and by_name(ours.functions) == by_name(theirs.functions))
        self.tally.check("merge: as onnx", path, same, "other graph")

    def connectable(self, model):
        """An output and an input of the same type, if there are any."""
        def kind(value):
            tensor = value.type.tensor_type
            if value.type.WhichOneof("value") != "tensor_type" or not tensor.HasField("shape"):
                return None
            return tensor.elem_type, tuple(d.dim_value for d in tensor.shape.dim)

        pairs = [(o.name, i.name) for o in model.graph.output for i in model.graph.input if kind(o) is not None and kind(o) == kind(i)]
        return self.chance.choice(pairs) if pairs else None

    # ---- rename and batch ----

    def rename(self, path, model):
        names = sorted(set(definitions(model)) - {""})
        if not names or any("|" in name or "\t" in name for name in names):
            self.apart["rename: nothing to rename"] += 1
            return
        shuffled = names[:]
        self.chance.shuffle(shuffled)
        there, error = self.model_after("rename", path, "|".join(f"{a}={b}" for a, b in zip(names, shuffled)), out="there")
        if there is None:
            self.tally.check("rename", path, False, error)
            return
        back, error = self.model_after("rename", self.driver.path("there"), "|".join(f"{b}={a}" for a, b in zip(names, shuffled)))
        self.tally.check("rename: there and back", path, back is not None and self.equal(back, onnx.load(path, load_external_data=False)), error)

    def batch(self, path, model):
        constants = set(names_of(model.graph.initializer))
        def wanted(value):
            tensor = value.type.tensor_type
            return value.name not in constants and value.type.HasField("tensor_type") and tensor.HasField("shape") and len(tensor.shape.dim) > 0

        if not any(map(wanted, model.graph.input)):
            self.apart["batch: no input with a first axis"] += 1
            return
        ours, error = self.model_after("batch", path, "some_batch")
        ok = ours is not None and all(v.type.tensor_type.shape.dim[0].dim_param == "some_batch" for v in ours.graph.input if wanted(v))
        self.tally.check("batch", path, ok, error or "another first size")

    # ---- diff ----

    def diff(self, path, model):
        error = self.driver.run("equal", path, path)
        self.tally.check("diff: equal to itself", path, error is None, error)
        error = self.driver.run("equal", path, path, "names")
        self.tally.check("diff: equal to itself, names ignored", path, error is None, error)
        if not model.graph.node:
            return
        changed = onnx.ModelProto.FromString(model.SerializeToString())
        node = self.chance.choice(changed.graph.node)
        kind, said = self.chance.choice([self.add_attribute, self.change_operator, self.add_opset])(changed, node)
        other = self.driver.put("changed.onnx", changed.SerializeToString())
        error = self.driver.run("differ", path, other, said)
        self.tally.check(f"diff: one change, {kind}", path, error is None, error)

    @staticmethod
    def add_attribute(model, node):
        node.attribute.append(helper.make_attribute("an_extra_one", 5))
        return "attribute", "only in B: attribute an_extra_one"

    @staticmethod
    def change_operator(model, node):
        node.op_type = "Another"
        return "operator", "op_type" if any(node.output) else ""

    @staticmethod
    def add_opset(model, node):
        model.opset_import.append(helper.make_opsetid("extra", 3))
        return "opset", "only in B: opset extra 3"

    # ---- inline ----

    def inline(self, path, model, feeds=None):
        ours, error = self.model_after("inline", path)
        if ours is None:
            self.tally.check("inline", path, False, error)
            return
        self.tally.check("inline: no function is left", path, not ours.functions, "functions")
        theirs = onnx.inliner.inline_local_functions(with_defaults_given(model))
        del ours.graph.value_info[:]
        del theirs.graph.value_info[:]
        mine = self.driver.put("mine.onnx", ours.SerializeToString())
        other = self.driver.put("theirs.onnx", theirs.SerializeToString())
        error = self.driver.run("equal", mine, other, "names")
        self.tally.check("inline: the structure onnx gives", path, error is None, error)
        if feeds is None:
            return
        refusal = checker_refuses(ours)
        self.tally.check("inline: valid", path, refusal is None, refusal)
        before, after = outputs_of(model, feeds), outputs_of(ours, feeds)
        same = len(before) == len(after) and all(np.array_equal(a, b) for a, b in zip(before, after))
        self.tally.check("inline: the same numbers", path, same, "other numbers")


class RandomFunctions:
    """Models with functions that call each other, with attributes, defaults, subgraphs and names that meet those of the graph."""

    UNARY = ["Neg", "Abs", "Relu", "Floor"]
    BINARY = ["Add", "Sub", "Mul", "Max"]

    def __init__(self, chance):
        self.chance = chance

    def model(self):
        self.functions = []
        for level in range(self.chance.randint(1, 4)):
            self.functions.append(self.function(level))
        values = ["x", "z"]
        nodes = self.body(values, self.chance.randint(2, 6), None, "t")
        nodes.append(self.call(self.functions[-1], values, "y_call"))
        nodes.append(helper.make_node("Add", [values[-1], "y_call"], ["y"]))
        tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("x", "z")]
        graph = helper.make_graph(nodes, "main", tensors, [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])])
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        return helper.make_model(graph, opset_imports=opsets, functions=self.functions, ir_version=9)

    def function(self, level):
        values = ["a", "b"]
        nodes = self.body(values, self.chance.randint(1, 4), "alpha", "t")
        made = values[2:]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        default = helper.make_attribute("alpha", self.chance.choice([0.25, 2.0]))
        with_default = self.chance.random() < 0.5
        return helper.make_function("own", f"f{level}", ["a", "b"], [made[-1]], nodes, opsets, attributes=[] if with_default else ["alpha"],
                                    attribute_protos=[default] if with_default else [])

    def body(self, values, count, attribute, stem):
        nodes = []
        for i in range(count):
            out = f"{stem}{i}"
            kind = self.chance.random()
            if kind < 0.3 and self.functions:
                nodes.append(self.call(self.chance.choice(self.functions), values, out))
            elif kind < 0.5:
                node = helper.make_node("Elu", [self.chance.choice(values)], [out], name=self.chance.choice(["", f"n{i}"]))
                if attribute:
                    node.attribute.append(helper.make_attribute_ref("alpha", AttributeProto.FLOAT))
                    node.attribute[-1].ref_attr_name = attribute
                nodes.append(node)
            elif kind < 0.65:
                nodes += self.branch(values, out)
            elif kind < 0.8:
                nodes.append(helper.make_node(self.chance.choice(self.UNARY), [self.chance.choice(values)], [out]))
            else:
                nodes.append(helper.make_node(self.chance.choice(self.BINARY), [self.chance.choice(values), self.chance.choice(values)], [out]))
            values.append(out)
        return nodes

    def branch(self, values, out):
        def graph(name):
            inner = f"{out}_{name}"
            first = helper.make_node(self.chance.choice(self.UNARY), [self.chance.choice(values)], [inner + "_0"])
            if self.functions and self.chance.random() < 0.5:
                second = self.call(self.chance.choice(self.functions), [*values, inner + "_0"], inner)
            else:
                second = helper.make_node(self.chance.choice(self.BINARY), [inner + "_0", self.chance.choice(values)], [inner])
            return helper.make_graph([first, second], name, [], [helper.make_tensor_value_info(inner, TensorProto.FLOAT, [3])])

        constant = helper.make_tensor("", TensorProto.BOOL, [], [self.chance.random() < 0.5])
        return [helper.make_node("Constant", [], [out + "_c"], value=constant),
                helper.make_node("If", [out + "_c"], [out], then_branch=graph("then"), else_branch=graph("else"))]

    def call(self, function, values, out):
        node = helper.make_node(function.name, [self.chance.choice(values), self.chance.choice(values)], [out], domain="own",
                                name=self.chance.choice(["", f"c_{out}"]))
        if function.attribute or self.chance.random() < 0.5:
            node.attribute.append(helper.make_attribute("alpha", 0.5))
        return node


def compare_random_functions(comparison, seed, count):
    chance = random.Random(seed)
    for number in range(count):
        model = RandomFunctions(chance).model()
        onnx.checker.check_model(model)
        path = comparison.driver.put("functions.onnx", model.SerializeToString())
        values = np.random.default_rng(seed + number)
        feeds = {name: values.standard_normal(3).astype(np.float32) for name in ("x", "z")}
        comparison.inline(path, model, feeds)
        comparison.prefix(path, model, True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default=os.path.join(ROOT, "build", "bin", "edit_driver"))
    parser.add_argument("--archive", default=os.path.join(ROOT, "..", "shared", "data", "onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "backend-tests"))
    parser.add_argument("--more", default=MORE)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--functions", type=int, default=150)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(Driver(options.tool, folder), tally, random.Random(options.seed))
        backend = unpacked(options.archive, options.folder, tally)
        if backend is not None:
            for path in files_of(backend, ".onnx"):
                if os.path.getsize(path) <= LARGEST:
                    comparison.everything_of(path)
        if os.path.isdir(options.more):
            for path in files_of(options.more, ".onnx"):
                if os.path.getsize(path) <= LARGEST:
                    comparison.everything_of(path)
        else:
            tally.skip("libonnx-testdata", f"{options.more} is absent")
        compare_random_functions(comparison, options.seed, options.functions)
    for group, count in sorted(comparison.apart.items()):
        print(f"apart, {group}: {count}")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
