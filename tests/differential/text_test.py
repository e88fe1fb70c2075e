#!/usr/bin/env python3
"""Holds sardonyx's text syntax to the onnx package's parser and printer.

usage: text_test.py --tool build/bin/text_driver [--archive FILE] [--folder build/backend-tests] [--more FOLDER] [--seed N] [--messages N]

For every model of ONNX's backend tests, of the folder --more (Debian's libonnx-testdata) and for random models with every field of onnx.proto:
1. Printed by sardonyx, parsed by sardonyx: the same model, by sardonyx's own comparison and by the messages that protobuf sees.
2. Printed by onnx: parsed by sardonyx and by onnx.parser, both give the same. Texts that onnx's own parser refuses are counted apart.
3. Printed by sardonyx: where onnx.parser takes the text, it gives the same model; where the text has no extension of the syntax, it must
   take it. What onnx's parser is known not to keep is counted apart, by reason.
The seed is printed. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import collections
import os
import random
import sys
import tempfile

from model_test import Driver, RandomMessages, Tally, files_of, read, unpacked

import numpy as np
import onnx
import onnx.parser
import onnx.printer
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = "/usr/share/libonnx-testdata"
ELEMENT_FIELDS = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")
SINGLE_FIELDS = ("f", "i", "s", "t", "g", "sparse_tensor", "tp")
ATTRIBUTE_FIELDS = [
    ("f", AttributeProto.FLOAT), ("i", AttributeProto.INT), ("s", AttributeProto.STRING), ("t", AttributeProto.TENSOR),
    ("g", AttributeProto.GRAPH), ("sparse_tensor", AttributeProto.SPARSE_TENSOR), ("tp", AttributeProto.TYPE_PROTO),
    ("floats", AttributeProto.FLOATS), ("ints", AttributeProto.INTS), ("strings", AttributeProto.STRINGS),
    ("tensors", AttributeProto.TENSORS), ("graphs", AttributeProto.GRAPHS), ("sparse_tensors", AttributeProto.SPARSE_TENSORS),
    ("type_protos", AttributeProto.TYPE_PROTOS),
]


def settle_tensor(tensor):
    """Moves the elements to raw_data, where they make up the tensor."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.HasField("segment"):
        return
    if tensor.data_type in (TensorProto.UNDEFINED, TensorProto.STRING) or sum(bool(getattr(tensor, f)) for f in ELEMENT_FIELDS) != 1:
        return
    try:
        elements = numpy_helper.to_array(tensor)
        raw = numpy_helper.from_array(elements).raw_data
    except Exception:
        return
    for field in ELEMENT_FIELDS:
        tensor.ClearField(field)
    tensor.raw_data = raw


def settle_attribute(attribute):
    """Gives an attribute without a type the one of its value, as files of IR versions 1 and 2 mean it."""
    if attribute.HasField("type"):
        return
    for field, kind in ATTRIBUTE_FIELDS:
        value = getattr(attribute, field)
        if attribute.HasField(field) if field in SINGLE_FIELDS else len(value):
            attribute.type = kind
            return


def without_leftovers(message):
    """onnx's parser leaves the integer of "a: float = 2" in the attribute."""
    for part in everything(message):
        if isinstance(part, AttributeProto) and part.type == AttributeProto.FLOAT:
            part.ClearField("i")
    return message


def with_positive_zeros(message):
    for part in everything(message):
        if isinstance(part, AttributeProto):
            part.f += 0.0
            part.floats[:] = [value + 0.0 for value in part.floats]
    return message


def settled(message):
    """Without the difference between absent fields and those with their default, and with elements in one place."""
    if isinstance(message, TensorProto):
        settle_tensor(message)
    if isinstance(message, AttributeProto):
        settle_attribute(message)
    for field, value in list(message.ListFields()):
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        if field.cpp_type == field.CPPTYPE_MESSAGE:
            for entry in value if repeated else [value]:
                settled(entry)
            if field.name == "type" and not value.ListFields():
                message.ClearField("type")
        elif not repeated and field.containing_oneof is None and not value and str(value) != "-0.0":
            message.ClearField(field.name)
    if hasattr(message, "DiscardUnknownFields"):
        message.DiscardUnknownFields()
    return message


def content(message):
    return settled(message).SerializeToString(deterministic=True)


def parsed_by_onnx(text):
    """(model, None), or (None, reason)."""
    try:
        return onnx.parser.parse_model(text), None
    except Exception as error:
        return None, str(error)


def everything(message):
    """All messages within a message."""
    yield message
    for field, value in message.ListFields():
        if field.cpp_type != field.CPPTYPE_MESSAGE:
            continue
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        for entry in value if repeated else [value]:
            yield from everything(entry)


def is_identifier(name):
    return name.isascii() and name.isidentifier()


def is_denormal(array):
    if array.dtype.kind not in "fc" or array.dtype.itemsize < 4:
        return False
    parts = array.view(array.real.dtype).reshape(-1)
    return bool(((parts != 0) & (abs(parts) < np.finfo(parts.dtype).tiny)).any())


def beyond_onnx(model):
    """Why onnx 1.22's parser cannot read or keep the model, as far as is known; None if it should."""
    if not model.HasField("graph"):
        return "no graph"
    if model.training_info or model.configuration:
        return "training_info or configuration"
    for part in everything(model):
        reason = beyond_onnx_in(part)
        if reason:
            return reason
    return None


def beyond_onnx_in(part):
    kind = part.DESCRIPTOR.name
    present = {field.name for field, value in part.ListFields() if value or field.containing_oneof}
    extra = {"ValueInfoProto": {"doc_string", "metadata_props"}, "NodeProto": {"doc_string", "metadata_props", "device_configurations"},
             "GraphProto": {"doc_string", "metadata_props", "sparse_initializer", "quantization_annotation"}, "AttributeProto": {"doc_string"},
             "FunctionProto": {"metadata_props"}, "TensorProto": {"doc_string", "metadata_props", "segment"}, "TypeProto": {"denotation"},
             "Dimension": {"denotation"}}.get(kind, set())
    if present & extra:
        return f"{kind} with {', '.join(sorted(present & extra))}"
    if kind == "AttributeProto":
        return beyond_onnx_in_attribute(part)
    if kind == "TensorProto":
        return beyond_onnx_in_tensor(part)
    if kind == "NodeProto" and not (is_identifier(part.op_type) and all(map(is_identifier, filter(None, part.domain.split("."))))):
        return "operators whose name is no identifier"
    if kind == "TypeProto":
        value = part.WhichOneof("value")
        if value == "opaque_type":
            return "opaque types"
        if value == "tensor_type" and part.tensor_type.elem_type == 0 or value is None:
            return "types without an element type"
        if value == "sequence_type" and not part.sequence_type.elem_type.WhichOneof("value"):
            return "types without an element type"
    return None


def beyond_onnx_in_attribute(attribute):
    if not is_identifier(attribute.name):
        return "attributes whose name is no identifier"
    if attribute.ref_attr_name:
        return None
    if attribute.type in (AttributeProto.TENSORS, AttributeProto.GRAPHS, AttributeProto.TYPE_PROTOS, AttributeProto.SPARSE_TENSOR,
                          AttributeProto.SPARSE_TENSORS, AttributeProto.UNDEFINED):
        return f"attributes of type {AttributeProto.AttributeType.Name(attribute.type)}"
    if attribute.type == AttributeProto.GRAPH and not is_identifier(attribute.g.name):
        return "subgraphs whose name is no identifier"
    if attribute.type == AttributeProto.TENSOR and attribute.t.name and not is_identifier(attribute.t.name):
        return "tensors in attributes whose name is no identifier"
    return None


def beyond_onnx_in_tensor(tensor):
    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    if tensor.data_type == TensorProto.STRING:
        return None
    try:
        array = numpy_helper.to_array(tensor)
    except Exception:
        return "unsound tensors"
    return "denormal numbers" if is_denormal(array) else None


class Comparison:
    def __init__(self, driver, tally):
        self.driver, self.tally = driver, tally
        self.apart = collections.Counter()

    def round_trip(self, group, path):
        after, error = self.driver.bytes_after("roundtrip", path)
        ok = after is not None and content(ModelProto.FromString(after)) == content(ModelProto.FromString(read(path)))
        self.tally.check(f"{group}: print, parse, equal", path, ok, error or "protobuf sees another model")

    def printed_by_onnx(self, group, path, model):
        try:
            text = onnx.printer.to_text(model)
        except Exception as error:
            self.apart[f"{group}: not printed by onnx"] += 1
            return
        theirs, refusal = parsed_by_onnx(text)
        ours, error = self.driver.bytes_after("parse", self.driver.put("onnx.txt", text.encode()))
        if theirs is None:
            self.apart[f"{group}: printed by onnx, refused by its own parser" + (", read by sardonyx" if ours else "")] += 1
            return
        if ours is None and "'{' and the elements" in error:
            self.apart[f"{group}: printed by onnx without elements (types it cannot print), read by it as an empty tensor, refused by sardonyx"] += 1
            return
        ours = ours and ModelProto.FromString(ours)
        same = ours is not None and content(ours) == content(without_leftovers(theirs))
        if ours is not None and not same and content(with_positive_zeros(ours)) == content(theirs):
            self.apart[f"{group}: printed by onnx with -0 in attributes, read by it as 0, by sardonyx as -0"] += 1
            return
        self.tally.check(f"{group}: printed by onnx, parsed by both, equal", path, same, error or "another model than onnx.parser's")

    def printed_by_us(self, group, path, model):
        printed, error = self.driver.bytes_after("print", path)
        if printed is None:
            self.tally.check(f"{group}: printed", path, False, error)
            return
        theirs, refusal = parsed_by_onnx(printed.decode())
        reason = beyond_onnx(model)
        same = theirs is not None and content(theirs) == content(model)
        if reason and not same:
            self.apart[f"{group}: beyond onnx's parser: {reason}"] += 1
            return
        self.tally.check(f"{group}: printed by sardonyx, parsed by onnx, equal", path, same, (refusal or "another model").replace("\n", " "))

    def everything_of(self, group, path):
        self.round_trip(group, path)
        for compare in (self.printed_by_onnx, self.printed_by_us):
            compare(group, path, onnx.load(path, load_external_data=False))


def scalar_model(attributes=(), initializers=(), values=(), functions=(), **header):
    """A model with one node that has these attributes, and a graph with these initializers and value infos."""
    node = helper.make_node("Op", ["a b", "", "float"], ["y", "1"], name="n 1", domain="d.e", overload="v")
    node.attribute.extend(attributes)
    graph = helper.make_graph([node], "main", list(values), list(values), list(initializers), value_info=list(values))
    return helper.make_model(graph, functions=list(functions), opset_imports=[helper.make_opsetid("", 17)], **header)


def made_tensors():
    """(name, TensorProto) of every type in both storages."""
    rng = np.random.default_rng(1)
    for number in sorted(TensorProto.DataType.values()):
        kind = TensorProto.DataType.Name(number)
        if number in (TensorProto.UNDEFINED, TensorProto.STRING):
            continue
        array = rng.integers(0, 2, (2, 3)).astype(helper.tensor_dtype_to_np_dtype(number))
        yield kind + " raw", numpy_helper.from_array(array, "w")
        yield kind + " typed", helper.make_tensor("w", number, (2, 3), list(array.reshape(-1)))
        yield kind + " empty", helper.make_tensor("w", number, (0, 3), [])
    yield "strings", helper.make_tensor("w", TensorProto.STRING, (3,), [b"a", b'q"\\', "\u00e9\n".encode()])
    floats = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 0.1, 1e20, 16777216.0, 3.4028235e38, -1.17549435e-38]
    yield "floats", helper.make_tensor("w", TensorProto.FLOAT, (len(floats),), floats)
    yield "doubles", numpy_helper.from_array(np.array(floats + [1e-300, 1.7976931348623157e308]), "w")
    external = TensorProto(name="w", data_type=1, dims=[2], data_location=TensorProto.EXTERNAL)
    external.external_data.add(key="location", value="a \"b\".bin")
    yield "external", external


def made_attributes():
    tensor = helper.make_tensor("t", TensorProto.INT64, (2,), [1, -(2**63)])
    body = helper.make_graph([helper.make_node("B", [], ["z"])], "body", [], [helper.make_tensor_value_info("z", 1, [])])
    for value in (1, 2**63 - 1, -(2**63), 2.0, 0.1, -0.0, float("inf"), float("nan"), "s", 'q"\\\n', [1, 2], [1.5, 2.0, -0.0], ["a", 'b"'], tensor, body,
                  helper.make_tensor_type_proto(1, ["N", None, 3, "a b"]), helper.make_tensor_type_proto(1, None)):
        yield helper.make_attribute("a", value)
    for kind in ("INT", "FLOATS", "TENSOR", "GRAPH"):
        yield AttributeProto(name="a", ref_attr_name="outer", type=AttributeProto.AttributeType.Value(kind))


def made_values():
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["N", "seq len", None, 4])
    for kind in (tensor, helper.make_tensor_type_proto(TensorProto.INT4, None), helper.make_tensor_type_proto(TensorProto.BOOL, []),
                 helper.make_sequence_type_proto(tensor), helper.make_optional_type_proto(helper.make_sequence_type_proto(tensor)),
                 helper.make_map_type_proto(TensorProto.INT64, tensor), helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, [3, None])):
        for name in ("x", "a b", "float", 'q"\\'):
            yield helper.make_value_info(name, kind)


def operator_functions():
    """The functions that define operators of onnx."""
    for schema in onnx.defs.get_all_schemas():
        if schema.has_function:
            function = schema.function_body
            if not function.domain:
                function.domain = "ai.onnx"
            yield function


def compare_made_models(comparison):
    models = [scalar_model(initializers=[tensor]) for _, tensor in made_tensors()]
    models += [scalar_model(attributes=[helper.make_attribute("t", tensor)]) for _, tensor in made_tensors()]
    models += [scalar_model(attributes=[attribute]) for attribute in made_attributes()]
    models += [scalar_model(values=[value]) for value in made_values()]
    models.append(scalar_model(producer_name='p"', producer_version="1", domain="d", model_version=3, doc_string="two\nlines \\ \"q\""))
    for number, model in enumerate(models):
        comparison.everything_of("made models", comparison.driver.put(f"made_{number}.onnx", model.SerializeToString()))
    for function in operator_functions():
        model = scalar_model(functions=[function])
        comparison.everything_of("operator functions", comparison.driver.put("made.onnx", model.SerializeToString()))


def compare_random_models(comparison, seed, count):
    maker = RandomMessages(random.Random(seed))
    for number in range(count):
        model = maker.fill(ModelProto(), maker.rng.choice([0.3, 0.5, 0.8]), maker.rng.randrange(2, 6))
        path = comparison.driver.put("random.onnx", model.SerializeToString(deterministic=True) or b"\x08\x00")
        comparison.round_trip("random models", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--archive", default=os.path.join(ROOT, "..", "shared", "data", "onnx-1.22-backend-tests.tar.xz"))
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "backend-tests"))
    parser.add_argument("--more", default=MORE)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--messages", type=int, default=400)
    options = parser.parse_args()
    print(f"onnx {onnx.__version__}, seed {options.seed}")
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(Driver(options.tool, folder), tally)
        backend_tests = unpacked(options.archive, options.folder, tally)
        for path in files_of(backend_tests, ".onnx") if backend_tests else []:
            comparison.everything_of("backend models", path)
        if not os.path.isdir(options.more):
            tally.skip("libonnx-testdata", f"{options.more} is absent")
        for path in files_of(options.more, ".onnx"):
            comparison.everything_of("libonnx-testdata", path)
        compare_made_models(comparison)
        compare_random_models(comparison, options.seed, options.messages)
    for group, count in sorted(comparison.apart.items()):
        print(f"apart, {group}: {count}")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
