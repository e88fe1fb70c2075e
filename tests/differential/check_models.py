"""Models for check_test.py: small sound ones, and ways to damage a model.

A mutation takes (rng, model), changes the model in place and returns True, or returns False where the model has nothing of the kind.
"""
import onnx
import onnx.parser
from onnx import AttributeProto, TensorProto, helper

MUTATIONS = {}
OPERATORS = {(schema.domain, schema.name) for schema in onnx.defs.get_all_schemas()}
NUMERIC = [t for t in TensorProto.DataType.values() if t not in (TensorProto.UNDEFINED, TensorProto.STRING)]


def mutation(function):
    MUTATIONS[function.__name__] = function
    return function


TEXTS = (
    # A convolution with weights, an elementwise chain, a reshape by a constant.
    """<ir_version: 8, opset_import: ["" : 17]>
    main (float[1,3,8,8] x) => (float[1,4,64] y) <float[4,3,3,3] w = {%s}, int64[3] shape = {1, 4, 64}> {
      [c] a = Conv <pads = [1, 1, 1, 1]> (x, w)
      [r] b = Relu (a)
      [s] d = Sigmoid (b)
      [m] e = Mul (b, d)
      [q] y = Reshape (e, shape) }""" % ", ".join(["0.5"] * 108),
    # A matrix product with a bias; a part of it normalised.
    """<ir_version: 7, opset_import: ["" : 13]>
    main (float[N,4] x) => (float[N,5] y, float[N,5] p) <float[4,5] w = {%s}, float[5] b = {1, 2, 3, 4, 5}> {
      h = MatMul (x, w)
      y = Add (h, b)
      p = Softmax <axis = -1> (y) }""" % ", ".join(["1"] * 20),
    # Branches that use values around them.
    """<ir_version: 8, opset_import: ["" : 17]>
    main (float[N] x, bool c) => (float[N] y) {
      h = Relu (x)
      y = If (c) <then_branch = t () => (float[N] z) { i = Neg (h)
 z = Exp (i) }, else_branch = e () => (float[N] z2) { z2 = Abs (x) }> }""",
    # A loop with a carried value.
    """<ir_version: 8, opset_import: ["" : 15]>
    main (int64 n, bool c, float[2] x) => (float[2] y) {
      y = Loop (n, c, x) <body = b (int64 i, bool ci, float[2] v) => (bool co, float[2] vo) { co = Identity (ci)
 vo = Add (v, v) }> }""",
    # Functions that call each other, with attributes.
    """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
    main (float[N] x) => (float[N] y) {
      a = mine.twice <factor: float = 2.0> (x)
      b = mine.shift (a, x)
      y = Relu (b) }
    <domain: "mine", opset_import: ["" : 17]>
    twice <factor> (v) => (w) { k = Constant <value_float: float = @factor> ()
 w = Mul (v, k) }
    <domain: "mine", opset_import: ["" : 17, "mine" : 1]>
    shift (v, u) => (w) { t = mine.twice <factor: float = 3.0> (v)
 w = Add (t, u) }""",
    # A function with a branch inside.
    """<ir_version: 9, opset_import: ["" : 18, "d" : 2]>
    main (float[3] x, bool c) => (float[3] y) { y = d.Choose (x, c) }
    <domain: "d", opset_import: ["" : 18]>
    Choose (v, c) => (w) { w = If (c) <then_branch = t () => (z) { z = Neg (v) }, else_branch = e () => (z2) { z2 = Abs (v) }> }""",
    # Constants, shapes followed through the graph, ai.onnx.ml.
    """<ir_version: 8, opset_import: ["" : 16, "ai.onnx.ml" : 3], metadata_props: ["author": "a", "licence": "b"]>
    main (float[2,3] x) => (float[3,2] y, float[2,3] z) {
      s = Shape (x)
      i = Constant <value = int64[2] {1, 0}> ()
      r = Gather (s, i)
      y = Reshape (x, r)
      z = ai.onnx.ml.Scaler <offset = [1.0, 2.0, 3.0], scale = [1.0, 1.0, 1.0]> (x) }""",
    # Sequences and optional inputs.
    """<ir_version: 8, opset_import: ["" : 17]>
    main (float[4] a, float[4] b) => (float[8] y, float[4] z) <float lo = {0}> {
      s = SequenceConstruct (a, b)
      y = ConcatFromSequence <axis = 0> (s)
      z = Clip (a, lo, ) }""",
    # Normalisation with all its inputs.
    """<ir_version: 8, opset_import: ["" : 15]>
    main (float[2,3,4] x) => (float[2,3,4] y) <float[3] g = {1, 1, 1}, float[3] b = {0, 0, 0}, float[3] m = {0, 0, 0}, float[3] v = {1, 1, 1}> {
      n = BatchNormalization (x, g, b, m, v)
      y = LayerNormalization17 (n, g) }""".replace("LayerNormalization17 (n, g)", "Transpose <perm = [0, 1, 2]> (n)"),
)


def sparse_model():
    values = helper.make_tensor("sp", TensorProto.FLOAT, (3,), [1.0, 2.0, 3.0])
    linear = helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, (3,), [1, 4, 7]), [3, 3])
    pairs = helper.make_sparse_tensor(helper.make_tensor("v", TensorProto.FLOAT, (2,), [1.0, 2.0]),
                                      helper.make_tensor("p", TensorProto.INT64, (2, 2), [0, 1, 2, 2]), [3, 3])
    nodes = [helper.make_node("Constant", [], ["k"], sparse_value=pairs), helper.make_node("Add", ["x", "k"], ["y"])]
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, (3, 3))
    graph = helper.make_graph(nodes, "sparse", [info("x")], [info("y")], sparse_initializer=[linear])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def made_models():
    return [onnx.parser.parse_model(text) for text in TEXTS] + [sparse_model()]


# What a model consists of.

def graphs(model):
    def inner(nodes):
        for node in nodes:
            for attribute in node.attribute:
                for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                    yield graph
                    yield from inner(graph.node)
    yield model.graph
    yield from inner(model.graph.node)
    for function in model.functions:
        yield from inner(function.node)


def has_unknown_operator(model):
    """Whether a node's operator is none of onnx's and none of the model's functions."""
    known = OPERATORS | {(f.domain, f.name) for f in model.functions}
    return any((n.domain, n.op_type) not in known for n in nodes(model))


def has_unused_constant(model):
    used = {name for n in nodes(model) for name in n.input} | {o.name for g in graphs(model) for o in g.output}
    return any(n.op_type == "Constant" and not used.intersection(n.output) for n in nodes(model))


def has_future_opset(model):
    return any(o.domain == "" and o.version > onnx.defs.onnx_opset_version() for o in model.opset_import)


def has_odd_ceil_mode(model):
    return any(a.name == "ceil_mode" and a.i not in (0, 1) for n in nodes(model) for a in n.attribute)


def subgraphs(model):
    return list(graphs(model))[1:]


def node_lists(model):
    return [graph.node for graph in graphs(model)] + [function.node for function in model.functions]


def nodes(model):
    return [node for nodes in node_lists(model) for node in nodes]


def value_names(model):
    return sorted({name for node in nodes(model) for name in [*node.input, *node.output] if name} | {i.name for i in model.graph.input})


def some(rng, choices):
    return rng.choice(choices) if choices else None


def a_node(rng, model, fits=lambda node: True):
    return some(rng, [node for node in nodes(model) if fits(node)])


def an_attribute(rng, model, fits=lambda attribute: True):
    """(node, index) of an attribute."""
    return some(rng, [(node, i) for node in nodes(model) for i, attribute in enumerate(node.attribute) if fits(attribute)]) or (None, None)


# Inputs and outputs of nodes.

@mutation
def drop_node_input(rng, model):
    node = a_node(rng, model, lambda n: n.input)
    if node is not None:
        del node.input[rng.randrange(len(node.input))]
    return node is not None


@mutation
def leave_out_node_input(rng, model):
    node = a_node(rng, model, lambda n: any(n.input))
    if node is not None:
        node.input[rng.choice([i for i, name in enumerate(node.input) if name])] = ""
    return node is not None


@mutation
def add_node_input(rng, model):
    node = a_node(rng, model, lambda n: any(n.input))
    if node is not None:
        node.input.append(node.input[0] or next(filter(None, node.input)))
    return node is not None


@mutation
def misname_node_input(rng, model):
    node = a_node(rng, model, lambda n: any(n.input))
    if node is not None:
        node.input[rng.choice([i for i, name in enumerate(node.input) if name])] += "_"
    return node is not None


@mutation
def rewire_node_input(rng, model):
    node = a_node(rng, model, lambda n: n.input)
    if node is not None:
        node.input[rng.randrange(len(node.input))] = rng.choice(value_names(model))
    return node is not None


@mutation
def swap_node_inputs(rng, model):
    node = a_node(rng, model, lambda n: len(n.input) > 1)
    if node is not None:
        node.input[:] = [*node.input[1:], node.input[0]]
    return node is not None


@mutation
def drop_node_output(rng, model):
    node = a_node(rng, model, lambda n: n.output)
    if node is not None:
        del node.output[rng.randrange(len(node.output))]
    return node is not None


@mutation
def leave_out_node_output(rng, model):
    node = a_node(rng, model, lambda n: any(n.output))
    if node is not None:
        node.output[rng.choice([i for i, name in enumerate(node.output) if name])] = ""
    return node is not None


@mutation
def add_node_output(rng, model):
    node = a_node(rng, model)
    if node is not None:
        node.output.append("extra_output")
    return node is not None


@mutation
def rename_node_output(rng, model):
    node = a_node(rng, model, lambda n: any(n.output))
    if node is not None:
        node.output[rng.choice([i for i, name in enumerate(node.output) if name])] = rng.choice(["renamed", *value_names(model)])
    return node is not None


@mutation
def feed_node_its_output(rng, model):
    node = a_node(rng, model, lambda n: n.input and any(n.output))
    if node is not None:
        node.input[0] = next(filter(None, node.output))
    return node is not None


# Nodes.

@mutation
def drop_node(rng, model):
    place = some(rng, [n for n in node_lists(model) if n])
    if place is not None:
        del place[rng.randrange(len(place))]
    return place is not None


@mutation
def duplicate_node(rng, model):
    place = some(rng, [n for n in node_lists(model) if n])
    if place is not None:
        place.append(rng.choice(place))
    return place is not None


@mutation
def reorder_nodes(rng, model):
    place = some(rng, [n for n in node_lists(model) if len(n) > 1])
    if place is None:
        return False
    shuffled = list(place)
    rng.shuffle(shuffled)
    shuffled = [onnx.NodeProto.FromString(n.SerializeToString()) for n in shuffled]
    del place[:]
    place.extend(shuffled)
    return True


@mutation
def misspell_operator(rng, model):
    node = a_node(rng, model)
    if node is not None:
        node.op_type = rng.choice([node.op_type + "X", node.op_type.lower(), "NoSuchOperator"])
    return node is not None


@mutation
def other_operator(rng, model):
    node = a_node(rng, model)
    if node is not None:
        node.op_type = rng.choice(["Relu", "Add", "Conv", "Concat", "Reshape", "Upsample", "Gemm", "Cast", "Split", "LSTM", "If", "Gelu", "Identity",
                                   "Scatter", "Affine", "Dropout", "BatchNormalization", "Loop", "TopK", "Squeeze"])
    return node is not None


@mutation
def no_operator(rng, model):
    node = a_node(rng, model)
    if node is not None:
        node.ClearField("op_type")
    return node is not None


@mutation
def domain_not_imported(rng, model):
    node = a_node(rng, model)
    if node is not None:
        node.domain = rng.choice(["nowhere", "ai.onnx.ml", "com.microsoft", "ai.onnx.training"])
    return node is not None


@mutation
def custom_domain(rng, model):
    node = a_node(rng, model)
    if node is None:
        return False
    node.domain = "elsewhere"
    for owner in [model, *model.functions]:
        owner.opset_import.add(domain="elsewhere", version=1)
    return True


@mutation
def domain_spelled_out(rng, model):
    for node in model.graph.node:
        node.domain = node.domain or "ai.onnx"
    return True


@mutation
def import_spelled_out(rng, model):
    for entry in model.opset_import:
        entry.domain = entry.domain or "ai.onnx"
    return True


@mutation
def empty_node(rng, model):
    model.graph.node.add(op_type="Relu")
    return True


# Versions.

@mutation
def opset_down(rng, model):
    entry = some(rng, [o for o in model.opset_import if o.version > 1])
    if entry is not None:
        entry.version = rng.randrange(1, entry.version)
    return entry is not None


@mutation
def opset_up(rng, model):
    entry = some(rng, [o for o in model.opset_import if o.domain == "" and o.version < 27])
    if entry is not None:
        entry.version = rng.randrange(entry.version + 1, 28)
    return entry is not None


@mutation
def opset_of_the_future(rng, model):
    entry = some(rng, [o for o in model.opset_import if o.domain == ""])
    if entry is not None:
        entry.version = 28 + rng.randrange(100)
    return entry is not None


@mutation
def opset_of_nothing(rng, model):
    for entry in model.opset_import:
        entry.version = rng.choice([0, -1])
    return True


@mutation
def drop_opset(rng, model):
    owner = some(rng, [o for o in [model, *model.functions] if o.opset_import])
    if owner is not None:
        del owner.opset_import[rng.randrange(len(owner.opset_import))]
    return owner is not None


@mutation
def duplicate_opset(rng, model):
    model.opset_import.append(model.opset_import[0])
    return True


@mutation
def other_ir_version(rng, model):
    model.ir_version = rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 100])
    return True


@mutation
def no_ir_version(rng, model):
    if rng.random() < 0.5:
        model.ClearField("ir_version")
    else:
        model.ir_version = 0
    return True


@mutation
def duplicate_metadata(rng, model):
    for value in "ab":
        model.metadata_props.add(key="key", value=value)
    return True


# Attributes.

@mutation
def drop_attribute(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        del node.attribute[i]
    return node is not None


@mutation
def duplicate_attribute(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        node.attribute.append(node.attribute[i])
    return node is not None


@mutation
def misname_attribute(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        node.attribute[i].name = rng.choice([node.attribute[i].name + "_", "_", "__internal", "axis", "", "value"])
    return node is not None


@mutation
def add_attribute(rng, model):
    node = a_node(rng, model)
    if node is not None:
        name, value = rng.choice([("unheard_of", 1), ("__note", "n"), ("axis", 0), ("axis", 1.0), ("group", 2), ("to", 7), ("perm", [1, 0])])
        node.attribute.append(helper.make_attribute(name, value))
    return node is not None


@mutation
def retype_attribute(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        kinds = [k for k in AttributeProto.AttributeType.values() if k != node.attribute[i].type]
        node.attribute[i].type = rng.choice(kinds)
    return node is not None


@mutation
def other_attribute(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        value = rng.choice([1, 2.5, "text", [1, 2], [1.5], ["a"], helper.make_tensor("t", 1, (1,), [1.0])])
        node.attribute[i].CopyFrom(helper.make_attribute(node.attribute[i].name, value))
    return node is not None


@mutation
def two_values_in_attribute(rng, model):
    node, i = an_attribute(rng, model, lambda a: not a.ref_attr_name)
    if node is not None:
        attribute = node.attribute[i]
        if attribute.type == AttributeProto.FLOATS:
            attribute.i = rng.choice([0, 1])
        else:
            attribute.floats.append(1.0)
    return node is not None


@mutation
def attribute_without_type(rng, model):
    node, i = an_attribute(rng, model)
    if node is not None:
        node.attribute[i].ClearField("type")
    return node is not None


@mutation
def attribute_without_message(rng, model):
    node, i = an_attribute(rng, model, lambda a: a.HasField("t") or a.HasField("g") or a.HasField("sparse_tensor"))
    if node is not None:
        for field in ("t", "g", "sparse_tensor"):
            node.attribute[i].ClearField(field)
    return node is not None


@mutation
def reference_outside_function(rng, model):
    node = some(rng, [n for n in model.graph.node if n.attribute])
    if node is not None:
        kept = node.attribute[0]
        node.attribute[0].CopyFrom(AttributeProto(name=kept.name, type=kept.type, ref_attr_name="outer"))
    return node is not None


@mutation
def change_integer(rng, model):
    node, i = an_attribute(rng, model, lambda a: a.type in (AttributeProto.INT, AttributeProto.INTS))
    if node is None:
        return False
    attribute = node.attribute[i]
    value = rng.choice([-1, 0, 1, 2, 3, 5])
    if attribute.type == AttributeProto.INT:
        attribute.i = value
    elif attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = value
    else:
        attribute.ints.append(value)
    return True


@mutation
def change_integer_count(rng, model):
    node, i = an_attribute(rng, model, lambda a: a.type == AttributeProto.INTS)
    if node is None:
        return False
    attribute = node.attribute[i]
    if attribute.ints and rng.random() < 0.5:
        del attribute.ints[-1]
    else:
        attribute.ints.append(1)
    return True


# Graphs, their inputs and outputs.

@mutation
def unnamed_graph(rng, model):
    graph = rng.choice(list(graphs(model)))
    graph.ClearField("name")
    return True


@mutation
def no_graph(rng, model):
    model.ClearField("graph")
    return True


@mutation
def drop_graph_input(rng, model):
    graph = some(rng, [g for g in graphs(model) if g.input])
    if graph is not None:
        del graph.input[rng.randrange(len(graph.input))]
    return graph is not None


@mutation
def duplicate_graph_input(rng, model):
    graph = some(rng, [g for g in graphs(model) if g.input])
    if graph is not None:
        graph.input.append(graph.input[0])
    return graph is not None


@mutation
def rename_graph_input(rng, model):
    graph = some(rng, [g for g in graphs(model) if g.input])
    if graph is not None:
        rng.choice(graph.input).name = rng.choice(["", "renamed", *value_names(model)])
    return graph is not None


@mutation
def rename_graph_output(rng, model):
    graph = some(rng, [g for g in graphs(model) if g.output])
    if graph is not None:
        rng.choice(graph.output).name = rng.choice(["", "renamed", *value_names(model)])
    return graph is not None


@mutation
def drop_graph_output(rng, model):
    graph = some(rng, [g for g in graphs(model) if g.output])
    if graph is not None:
        del graph.output[rng.randrange(len(graph.output))]
    return graph is not None


def a_declared(rng, model, fits=lambda value: True):
    return some(rng, [v for g in graphs(model) for v in [*g.input, *g.output] if fits(v)])


def is_tensor(value):
    return value.type.HasField("tensor_type")


@mutation
def undeclared_type(rng, model):
    value = a_declared(rng, model)
    if value is not None:
        value.ClearField("type")
    return value is not None


@mutation
def undeclared_shape(rng, model):
    value = a_declared(rng, model, is_tensor)
    if value is not None:
        value.type.tensor_type.ClearField("shape")
    return value is not None


@mutation
def undeclared_element_type(rng, model):
    value = a_declared(rng, model, is_tensor)
    if value is not None:
        value.type.tensor_type.ClearField("elem_type")
    return value is not None


@mutation
def other_element_type(rng, model):
    value = a_declared(rng, model, is_tensor)
    if value is not None:
        value.type.tensor_type.elem_type = rng.choice(NUMERIC)
    return value is not None


@mutation
def unknown_element_type(rng, model):
    value = a_declared(rng, model, is_tensor)
    if value is not None:
        value.type.tensor_type.elem_type = rng.choice([0, 77])
    return value is not None


@mutation
def other_kind_of_type(rng, model):
    value = a_declared(rng, model, is_tensor)
    if value is not None:
        tensor = value.type.tensor_type.elem_type
        shape = [1]
        value.type.CopyFrom(rng.choice([helper.make_sequence_type_proto(helper.make_tensor_type_proto(tensor, shape)),
                                        helper.make_optional_type_proto(helper.make_tensor_type_proto(tensor, shape)),
                                        onnx.TypeProto(sequence_type=onnx.TypeProto.Sequence()),
                                        onnx.TypeProto(optional_type=onnx.TypeProto.Optional()),
                                        onnx.TypeProto(map_type=onnx.TypeProto.Map(key_type=7))]))
    return value is not None


@mutation
def other_size(rng, model):
    value = a_declared(rng, model, lambda v: is_tensor(v) and v.type.tensor_type.shape.dim)
    if value is not None:
        rng.choice(value.type.tensor_type.shape.dim).dim_value = rng.choice([1, 2, 3, 7])
    return value is not None


@mutation
def other_rank(rng, model):
    value = a_declared(rng, model, lambda v: is_tensor(v) and v.type.tensor_type.HasField("shape"))
    if value is None:
        return False
    dims = value.type.tensor_type.shape.dim
    if dims and rng.random() < 0.5:
        del dims[-1]
    else:
        dims.add(dim_value=2)
    return True


# Initializers and tensors in attributes.

def an_initializer(rng, model, fits=lambda tensor: True):
    """(graph, index)"""
    return some(rng, [(g, i) for g in graphs(model) for i, t in enumerate(g.initializer) if fits(t)]) or (None, None)


def a_tensor(rng, model, fits=lambda tensor: True):
    tensors = [t for g in graphs(model) for t in g.initializer] + [a.t for n in nodes(model) for a in n.attribute if a.HasField("t")]
    return some(rng, [t for t in tensors if fits(t)])


@mutation
def drop_initializer(rng, model):
    graph, i = an_initializer(rng, model)
    if graph is not None:
        del graph.initializer[i]
    return graph is not None


@mutation
def duplicate_initializer(rng, model):
    graph, i = an_initializer(rng, model)
    if graph is not None:
        graph.initializer.append(graph.initializer[i])
    return graph is not None


@mutation
def rename_initializer(rng, model):
    graph, i = an_initializer(rng, model)
    if graph is not None:
        graph.initializer[i].name = rng.choice(["", "renamed", *value_names(model)])
    return graph is not None


@mutation
def negative_dim(rng, model):
    tensor = a_tensor(rng, model, lambda t: t.dims)
    if tensor is not None:
        tensor.dims[rng.randrange(len(tensor.dims))] = -rng.randrange(1, 5)
    return tensor is not None


@mutation
def overflowing_dims(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        tensor.dims[:] = [2**40, 2**40]
    return tensor is not None


@mutation
def tensor_without_type(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        tensor.ClearField("data_type") if rng.random() < 0.5 else setattr(tensor, "data_type", 0)
    return tensor is not None


@mutation
def data_in_two_fields(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        tensor.double_data.append(1)
        tensor.uint64_data.append(1)
    return tensor is not None


def clear_data(tensor):
    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data"):
        tensor.ClearField(field)


@mutation
def tensor_without_data(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        clear_data(tensor)
    return tensor is not None


@mutation
def data_in_wrong_field(rng, model):
    tensor = a_tensor(rng, model, lambda t: t.float_data or t.int64_data)
    if tensor is None:
        return False
    count = len(tensor.float_data) + len(tensor.int64_data)
    tensor.ClearField("float_data")
    tensor.ClearField("int64_data")
    tensor.double_data.extend([1.0] * count)
    return True


@mutation
def strings_as_raw_data(rng, model):
    tensor = a_tensor(rng, model, lambda t: t.raw_data)
    if tensor is not None:
        tensor.data_type = TensorProto.STRING
    return tensor is not None


@mutation
def data_for_no_elements(rng, model):
    tensor = a_tensor(rng, model, lambda t: t.dims)
    if tensor is not None:
        tensor.dims[0] = 0
    return tensor is not None


@mutation
def external_without_location(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        tensor.data_location = TensorProto.EXTERNAL
        if rng.random() < 0.5:
            clear_data(tensor)
    return tensor is not None


@mutation
def cut_data(rng, model):
    tensor = a_tensor(rng, model, lambda t: len(t.raw_data) > 1 or len(t.float_data) > 1)
    if tensor is None:
        return False
    if tensor.raw_data:
        tensor.raw_data = tensor.raw_data[:-1]
    else:
        del tensor.float_data[-1]
    return True


@mutation
def other_dims(rng, model):
    tensor = a_tensor(rng, model, lambda t: t.dims)
    if tensor is not None:
        tensor.dims[0] += 1
    return tensor is not None


@mutation
def unknown_tensor_type(rng, model):
    tensor = a_tensor(rng, model)
    if tensor is not None:
        clear_data(tensor)
        tensor.raw_data = bytes(8)
        tensor.data_type = 77
    return tensor is not None


# Subgraphs.

@mutation
def subgraph_gives_outer_value(rng, model):
    graph = some(rng, [g for g in subgraphs(model) if g.output])
    if graph is not None and model.graph.input:
        graph.output[0].name = model.graph.input[0].name
    return graph is not None


@mutation
def subgraph_redefines_outer_value(rng, model):
    graph = some(rng, [g for g in subgraphs(model) if g.node and g.node[0].output])
    if graph is not None and model.graph.input:
        graph.node[0].output[0] = model.graph.input[0].name
    return graph is not None


@mutation
def drop_subgraph_output(rng, model):
    graph = some(rng, [g for g in subgraphs(model) if g.output])
    if graph is not None:
        del graph.output[-1]
    return graph is not None


@mutation
def add_subgraph_input(rng, model):
    graph = some(rng, subgraphs(model))
    if graph is not None:
        graph.input.append(helper.make_tensor_value_info("another", 1, [1]))
    return graph is not None


# Functions.

def a_function(rng, model, fits=lambda function: True):
    return some(rng, [f for f in model.functions if fits(f)])


@mutation
def unnamed_function(rng, model):
    function = a_function(rng, model)
    if function is not None:
        function.ClearField(rng.choice(["name", "domain"]))
    return function is not None


@mutation
def duplicate_function(rng, model):
    function = a_function(rng, model)
    if function is not None:
        model.functions.append(function)
    return function is not None


@mutation
def drop_function(rng, model):
    if not model.functions:
        return False
    del model.functions[rng.randrange(len(model.functions))]
    return True


@mutation
def recursive_function(rng, model):
    function = a_function(rng, model)
    if function is None:
        return False
    callee = rng.choice(model.functions)
    function.node.add(op_type=callee.name, domain=callee.domain, input=list(function.input)[:1], output=["recurred"])
    if callee.domain not in [o.domain for o in function.opset_import]:
        function.opset_import.add(domain=callee.domain, version=1)
    return True


@mutation
def repeated_function_parameter(rng, model):
    function = a_function(rng, model)
    if function is None:
        return False
    field = rng.choice(["input", "output", "attribute"])
    names = getattr(function, field)
    names.extend([names[0]] if names else ["twice", "twice"])
    return True


@mutation
def function_without_opset(rng, model):
    function = a_function(rng, model)
    if function is not None:
        del function.opset_import[:]
    return function is not None


@mutation
def function_of_other_opset(rng, model):
    function = a_function(rng, model)
    if function is not None:
        function.opset_import[0].version = rng.choice([1, 6, 7, 8, 11, 12, 13, 14, 16, 17, 18, 20])
    return function is not None


@mutation
def function_output_of_nothing(rng, model):
    function = a_function(rng, model)
    if function is not None:
        function.output[0] = "nothing"
    return function is not None


@mutation
def function_in_standard_domain(rng, model):
    function = a_function(rng, model)
    if function is None:
        return False
    for node in nodes(model):
        if (node.domain, node.op_type) == (function.domain, function.name):
            node.domain = ""
    function.domain = ""
    return True


@mutation
def call_with_more_inputs(rng, model):
    names = {(f.domain, f.name) for f in model.functions}
    node = a_node(rng, model, lambda n: (n.domain, n.op_type) in names and n.input)
    if node is not None:
        node.input.append(node.input[0])
    return node is not None


# Sparse tensors.

def a_sparse_tensor(rng, model):
    tensors = [t for g in graphs(model) for t in g.sparse_initializer]
    return some(rng, tensors + [a.sparse_tensor for n in nodes(model) for a in n.attribute if a.HasField("sparse_tensor")])


@mutation
def damage_sparse_tensor(rng, model):
    tensor = a_sparse_tensor(rng, model)
    if tensor is None:
        return False
    indices = tensor.indices
    damages = [lambda: tensor.ClearField("values"), lambda: tensor.ClearField("indices"), lambda: tensor.ClearField("dims"),
               lambda: tensor.dims.__setitem__(0, rng.choice([0, -1])), lambda: tensor.values.dims.append(1),
               lambda: setattr(indices, "data_type", TensorProto.INT32), lambda: tensor.values.ClearField("name"),
               lambda: indices.dims.append(1), lambda: indices.dims.__setitem__(0, indices.dims[0] - 1),
               lambda: indices.int64_data.__setitem__(0, rng.choice([-1, 100, 8])), lambda: indices.int64_data.__setitem__(-1, 0),
               lambda: tensor.dims.append(2), lambda: tensor.dims.__setitem__(0, 1)]
    rng.choice(damages)()
    return True


@mutation
def sparse_initializer_as_tensor(rng, model):
    if not model.graph.sparse_initializer or not model.graph.input:
        return False
    model.graph.node.append(helper.make_node("Mul", [model.graph.input[0].name, model.graph.sparse_initializer[0].values.name], ["u"]))
    return True
