"""A case: one node with its inputs, and the model that holds it.

A family's generator gives a dict:
  opset            version of ai.onnx that the model imports (default: the newest that ONNX Runtime knows)
  node_attributes  name -> number, string, list, or array (a tensor)
  inputs           arrays; None: left out; a list of arrays: a sequence is not meant here, operators on sequences have other tests
  outputs          how many (default 1)
  left_out         indexes of outputs that get no name
  constants        indexes of inputs that are initializers
  tolerance        (relative, absolute); default by the output's type: TOLERANCES
  sample           True: outputs are random; both sides' must have the same distribution
  signed_zeros     True: zeros must have the same sign
  wide             indexes of outputs of a type that numpy lacks: a Cast to float follows
"""

import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper

NEWEST = onnx.defs.onnx_opset_version()
# Operators whose results are a few operations from their inputs keep to these; longer sums state their own.
TOLERANCES = {"float32": (1e-5, 1e-6), "float64": (1e-7, 1e-9), "float16": (4e-3, 1e-3), "bfloat16": (2e-2, 1e-2)}


TYPE_STRINGS = {number: f"tensor({name.lower()})" for name, number in TensorProto.DataType.items()}


def ir_version(opset):
    return 10 if opset >= 21 else 8


def domain_and_type(name):
    """("com.microsoft", "Gelu") of "com.microsoft.Gelu"; ("", "Relu") of "Relu"."""
    domain, _, op_type = name.rpartition(".")
    return domain, op_type


def generator_for(name, seed):
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def attribute_types(domain, op_type, opset):
    try:
        schema = onnx.defs.get_schema(op_type, opset, domain)
    except onnx.defs.SchemaError:
        return {}
    return {name: int(attribute.type) for name, attribute in schema.attributes.items()}


def attribute_of(name, value, kind):
    if isinstance(value, np.ndarray):
        value = tensor_of(value, "")
    elif isinstance(value, (list, tuple)):
        value = [item.item() if isinstance(item, np.generic) else item for item in value]
        if kind == onnx.AttributeProto.FLOATS:
            value = [float(item) for item in value]
    elif isinstance(value, np.generic):
        value = value.item()
    if kind == onnx.AttributeProto.FLOAT:
        value = float(value)
    return helper.make_attribute(name, value, attr_type=kind if isinstance(value, list) and not value else None)


def tensor_of(array, name):
    """The TensorProto; ml_dtypes' types (bfloat16, int4, ...) are known to onnx."""
    return onnx.numpy_helper.from_array(np.asarray(array), name)


def element_type(array):
    return TensorProto.STRING if array.dtype.kind in "OUS" else helper.np_dtype_to_tensor_dtype(array.dtype)


class Case:
    def __init__(self, name, index, made):
        self.name, self.index = name, index
        self.domain, self.op_type = domain_and_type(name)
        self.opset = int(made.get("opset", NEWEST))
        self.attributes = {key: value for key, value in made.get("node_attributes", {}).items() if value is not None}
        self.inputs = [None if value is None else np.asarray(value) for value in made.get("inputs", [])]
        self.outputs = made.get("outputs", 1)
        self.left_out = set(made.get("left_out", ()))
        self.constants = {int(i) for i in made.get("constants", ()) if i < len(self.inputs) and self.inputs[i] is not None}
        self.tolerance = made.get("tolerance")
        self.sample = made.get("sample", False)
        self.signed_zeros = made.get("signed_zeros", False)
        self.wide = set(made.get("wide", ()))

    def follows_schema(self):
        """Whether the version of the operator takes these types, attributes and inputs; operators outside ONNX: yes."""
        try:
            schema = onnx.defs.get_schema(self.op_type, self.opset, self.domain)
        except onnx.defs.SchemaError:
            return bool(self.domain) or self.op_type == "SimplifiedLayerNormalization"  # ONNX Runtime's own, in ONNX's domain
        if len(self.inputs) > schema.max_input or not set(self.attributes) <= set(schema.attributes):
            return False
        bound = {}
        for i, value in enumerate(self.inputs):
            formal = schema.inputs[min(i, len(schema.inputs) - 1)]
            kind = "" if value is None else TYPE_STRINGS[element_type(value)]
            if value is None:
                continue
            if kind not in formal.types or (formal.is_homogeneous and bound.setdefault(formal.type_str, kind) != kind):
                return False
        return True

    def array(self, index):
        """Input `index`, or None."""
        return self.inputs[index] if index < len(self.inputs) else None

    def output_names(self):
        return [f"y{i}" for i in range(self.outputs) if i not in self.left_out]

    def feeds(self):
        return {f"x{i}": value for i, value in enumerate(self.inputs) if value is not None and i not in self.constants}

    def model(self):
        types = attribute_types(self.domain, self.op_type, self.opset if not self.domain else 1)
        names = ["" if value is None else f"x{i}" for i, value in enumerate(self.inputs)]
        results = ["" if i in self.left_out else f"n{i}" if i in self.wide else f"y{i}" for i in range(self.outputs)]
        node = onnx.NodeProto(op_type=self.op_type, domain=self.domain, name="node", input=names, output=results)
        node.attribute.extend(attribute_of(key, value, types.get(key)) for key, value in self.attributes.items())
        nodes = [node] + [helper.make_node("Cast", [f"n{i}"], [f"y{i}"], to=TensorProto.FLOAT) for i in sorted(self.wide)]
        inputs = [helper.make_tensor_value_info(name, element_type(value), value.shape) for name, value in self.feeds().items()]
        constants = [tensor_of(self.inputs[i], f"x{i}") for i in sorted(self.constants)]
        graph = helper.make_graph(nodes, "case", inputs, [onnx.ValueInfoProto(name=name) for name in self.output_names()], constants)
        imports = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid(self.domain, 1)] if self.domain else [])
        return helper.make_model(graph, opset_imports=imports, ir_version=ir_version(self.opset))

    def describe(self):
        def told(array):
            if array is None:
                return "-"
            text = f"{array.dtype.name if array.dtype.kind not in 'OU' else 'string'}{list(array.shape)}"
            return text + ("=" + str(array.reshape(-1).tolist()) if 0 < array.size <= 6 else "")
        attributes = ", ".join(f"{key}={value if not isinstance(value, np.ndarray) else told(value)}" for key, value in self.attributes.items())
        inputs = ", ".join(told(value) + ("!" if i in self.constants else "") for i, value in enumerate(self.inputs))
        outputs = "" if self.outputs == 1 else f" -> {self.outputs} outputs" + (f" without {sorted(self.left_out)}" if self.left_out else "")
        return f"{self.name}-{self.opset} #{self.index} <{attributes}> ({inputs}){outputs}"
