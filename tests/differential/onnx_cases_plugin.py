"""A pytest plugin: puts sardonyx in the place of onnx's checker, shape inference, parser, printer and version converter.

SARDONYX_DRIVER names the driver. Each test's outcome is written as a line "outcome<TAB>name<TAB>first line of the error" to SARDONYX_REPORT.
"""
import os
import tempfile

from model_test import Driver

import onnx
import onnx.checker
import onnx.parser
import onnx.printer
import onnx.shape_inference
import onnx.version_converter
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

scratch = tempfile.TemporaryDirectory()
driver = Driver(os.environ["SARDONYX_DRIVER"], scratch.name)
report = open(os.environ["SARDONYX_REPORT"], "w")


INFERENCE_CODES = ("error: type-mismatch", "error: shape-mismatch", "error: inference")


def put(model):
    return driver.put("in.onnx", model.SerializeToString())


def as_model(model):
    if isinstance(model, (str, os.PathLike)):
        return onnx.load(model, load_external_data=False)
    return ModelProto.FromString(model) if isinstance(model, bytes) else model


def check_model(model, full_check=False, skip_opset_compatibility_check=False, check_custom_domain=False):
    path = os.fspath(model) if isinstance(model, (str, os.PathLike)) else put(as_model(model))
    error = driver.run("check", path, "full" if full_check else "plain")
    if error and full_check and error.startswith(INFERENCE_CODES):
        raise onnx.shape_inference.InferenceError(error)
    if error:
        raise onnx.checker.ValidationError(error)


def model_of(context, **parts):
    context = context or onnx.checker.DEFAULT_CONTEXT
    model = ModelProto(ir_version=context.ir_version)
    for domain, version in context.opset_imports.items():
        model.opset_import.add(domain=domain, version=version)
    model.graph.name = "g"
    for name, value in parts.items():
        getattr(model, name).CopyFrom(value) if name == "graph" else getattr(model, name).extend(value)
    return model


def names_used(nodes):
    made = set()
    for node in nodes:
        yield from (name for name in node.input if name and name not in made)
        made.update(node.output)
        for attribute in node.attribute:
            for graph in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                local = {v.name for v in graph.input} | {t.name for t in graph.initializer} | {o for n in graph.node for o in n.output}
                yield from (name for name in names_used(graph.node) if name not in local)


def graph_of(nodes):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ()) for name in dict.fromkeys(names_used(nodes))]
    return helper.make_graph(nodes, "g", inputs, [])


def check_graph(graph, ctx=None, *_):
    check_model(model_of(ctx, graph=graph))


def check_node(node, ctx=None):
    check_model(model_of(ctx, graph=graph_of([node])))


def check_function(function, ctx=None):
    check_model(model_of(ctx, functions=[function]))


def check_tensor(tensor, ctx=None):
    named = TensorProto.FromString(tensor.SerializeToString())
    named.name = named.name or "t"
    check_model(model_of(ctx, graph=GraphProto(name="g", initializer=[named])))


def check_sparse_tensor(sparse, ctx=None):
    named = onnx.SparseTensorProto.FromString(sparse.SerializeToString())
    named.values.name = named.values.name or "t"
    check_model(model_of(ctx, graph=GraphProto(name="g", sparse_initializer=[named])))


def infer_shapes(model, check_type=False, strict_mode=False, data_prop=False):
    out = driver.path("out.onnx")
    if not isinstance(model, (ModelProto, bytes)):
        raise TypeError("For Model paths (str or os.PathLike), use infer_shapes_path(). infer_shapes only accepts ModelProto or bytes")
    error = driver.run("infer", put(as_model(model)), out, "strict" if strict_mode else "lenient", "propagate" if data_prop else "static")
    if error:
        raise onnx.shape_inference.InferenceError(error)
    return onnx.load(out, load_external_data=False)


def types_of(model, names):
    """name -> type of values of the model's graph, once inferred strictly; sizes without a name have none."""
    graph = infer_shapes(model, strict_mode=True, data_prop=True).graph
    known = {value.name: value.type for value in [*graph.value_info, *graph.output]}
    for kind in known.values():
        for dim in kind.tensor_type.shape.dim if kind.HasField("tensor_type") else []:
            if dim.dim_param.startswith("unk__"):
                dim.Clear()
    return {name: known[name] for name in names if name in known and known[name].WhichOneof("value")}


def infer_node_outputs(schema, node, input_types, input_data=None, input_sparse_data=None, opset_imports=None, ir_version=onnx.IR_VERSION):
    input_types = {name: input_types[name] for name in dict.fromkeys([*filter(None, node.input), *input_types])}
    model = ModelProto(ir_version=ir_version, opset_import=opset_imports or [helper.make_opsetid(schema.domain, schema.since_version)])
    model.graph.name = "g"
    for name, kind in input_types.items():
        model.graph.input.add(name=name).type.CopyFrom(kind)
    model.graph.node.append(node)
    check_model(model)
    for name, tensor in (input_data or {}).items():
        if name in node.input:
            model.graph.initializer.append(tensor)
            model.graph.initializer[-1].name = name
    for value in [v for v in model.graph.input if v.name in (input_data or {})]:
        model.graph.input.remove(value)
    return types_of(model, filter(None, node.output))


def infer_function_output_types(function, input_types, attributes):
    model = ModelProto(ir_version=onnx.IR_VERSION, opset_import=[*function.opset_import, helper.make_opsetid(function.domain, 1)], functions=[function])
    model.graph.name = "g"
    for name, kind in zip(function.input, input_types):
        if kind.WhichOneof("value"):
            model.graph.input.add(name="in_" + name).type.CopyFrom(kind)
    node = model.graph.node.add(op_type=function.name, domain=function.domain, attribute=attributes)
    node.input.extend("in_" + name if kind.WhichOneof("value") else "" for name, kind in zip(function.input, input_types))
    node.output.extend("out_" + name for name in function.output)
    known = types_of(model, node.output)
    return [known.get(name, onnx.TypeProto()) for name in node.output]


def parsed(kind, text):
    out = driver.path("out.onnx")
    error = driver.run("parse", kind, driver.put("in.txt", text.encode()), out)
    if error:
        raise onnx.parser.ParseError(error)
    return onnx.load(out, load_external_data=False)


def to_text(proto):
    kinds = {ModelProto: ("model", lambda p: p), GraphProto: ("graph", lambda p: ModelProto(graph=p)),
             NodeProto: ("node", lambda p: ModelProto(graph=GraphProto(node=[p]))),
             FunctionProto: ("function", lambda p: ModelProto(functions=[p]))}
    if type(proto) not in kinds:
        raise TypeError("Unsupported argument type.")
    kind, wrap = kinds[type(proto)]
    out = driver.path("out.txt")
    error = driver.run("print", kind, put(wrap(proto)), out)
    if error:
        raise ValueError(error)
    with open(out) as file:
        return file.read()


def convert_version(model, target_version):
    out = driver.path("out.onnx")
    error = driver.run("convert", put(model), str(target_version), out)
    if error:
        raise RuntimeError(error)
    return onnx.load(out, load_external_data=False)


for module, names in ((onnx.checker, (check_model, check_graph, check_node, check_function, check_tensor, check_sparse_tensor)),
                      (onnx.shape_inference, (infer_shapes, infer_node_outputs, infer_function_output_types)), (onnx.printer, (to_text,)), (onnx.version_converter, (convert_version,))):
    for function in names:
        setattr(module, function.__name__, function)
onnx.parser.parse_model = lambda text: parsed("model", text)
onnx.parser.parse_graph = lambda text: parsed("graph", text).graph
onnx.parser.parse_node = lambda text: parsed("node", text).graph.node[0]
onnx.parser.parse_function = lambda text: parsed("function", text).functions[0]


def pytest_runtest_logreport(report: object):
    test = report
    if test.when == "call" or test.outcome != "passed":
        reason = str(test.longrepr[2] if isinstance(test.longrepr, tuple) else getattr(getattr(test.longrepr, "reprcrash", None), "message", ""))
        line = "\t".join((test.outcome, test.nodeid.split("/")[-1], " ".join(reason.split())[:400]))
        globals()["report"].write(line + "\n")
        globals()["report"].flush()
