#!/usr/bin/env python3
"""Writes src/schema/table.inc: the signatures of all ONNX operators, as facts of the installed onnx package (pip's, 1.22).

Usage: generate_schemas.py > src/schema/table.inc
"""
import onnx
from onnx import AttributeProto, defs

INFINITE = 255


class Pool:
    """Numbers distinct values in order of first use."""

    def __init__(self, first=()):
        self.numbers = {}
        for value in first:
            self.add(value)

    def add(self, value):
        return self.numbers.setdefault(value, len(self.numbers))


text = Pool([""])
type_sets = Pool()
runs = {"parameter": [], "attribute": [], "constraint": []}
run_starts = {}


def run_of(kind, rows):
    """The start of these consecutive rows in their table; equal runs are shared."""
    key = (kind, tuple(rows))
    if key not in run_starts:
        run_starts[key] = len(runs[kind])
        runs[kind] += rows
    return run_starts[key]


def default_text(attribute):
    value = attribute.default_value
    if value.type == AttributeProto.UNDEFINED:
        return 0
    number = lambda x: repr(float(f"{x:.8g}"))
    if value.type == AttributeProto.FLOAT:
        return text.add(number(value.f))
    if value.type == AttributeProto.INT:
        return text.add(str(value.i))
    if value.type == AttributeProto.STRING:
        return text.add('"' + value.s.decode() + '"')
    if value.type == AttributeProto.INTS:
        return text.add("[" + ", ".join(map(str, value.ints)) + "]")
    if value.type == AttributeProto.FLOATS:
        return text.add("[" + ", ".join(map(number, value.floats)) + "]")
    if value.type == AttributeProto.STRINGS:
        return text.add("[" + ", ".join('"' + s.decode() + '"' for s in value.strings) + "]")
    if value.type == AttributeProto.TENSOR:
        return text.add("tensor")
    raise ValueError(f"default of attribute {attribute.name}: type {value.type}")


def parameter_rows(parameters):
    option = {defs.OpSchema.FormalParameterOption.Single: 0, defs.OpSchema.FormalParameterOption.Optional: 1,
              defs.OpSchema.FormalParameterOption.Variadic: 2}
    return [(text.add(p.name), text.add(p.type_str.replace(", ", ",")), option[p.option], int(p.is_homogeneous), p.min_arity)
            for p in parameters]


def attribute_rows(attributes):
    number = lambda a: AttributeProto.AttributeType.Value(str(a.type).split(".")[-1])
    return [(text.add(a.name), number(a), int(a.required), default_text(a)) for a in sorted(attributes.values(), key=lambda a: a.name)]


def constraint_rows(constraints):
    types = lambda c: tuple(sorted(t.replace(", ", ",") for t in c.allowed_type_strs))
    return [(text.add(c.type_param_str), type_sets.add(types(c))) for c in constraints]


def schema_row(schema, domains):
    bounded = lambda n: min(n, INFINITE)
    flags = int(schema.deprecated) | 2 * int(schema.has_function or schema.has_context_dependent_function) | 4 * int(
        schema.node_determinism == defs.OpSchema.NodeDeterminism.NonDeterministic)
    parameters = parameter_rows(schema.inputs) + parameter_rows(schema.outputs)
    attributes, constraints = attribute_rows(schema.attributes), constraint_rows(schema.type_constraints)
    return (text.add(schema.name), domains[schema.domain], schema.since_version, flags, bounded(schema.min_input), bounded(schema.max_input),
            bounded(schema.min_output), bounded(schema.max_output), run_of("parameter", parameters), len(schema.inputs), len(schema.outputs),
            run_of("attribute", attributes), len(attributes), run_of("constraint", constraints), len(constraints))


def array(declaration, rows, width=140):
    print(f"inline constexpr {declaration}[] = {{")
    line = "   "
    for row in rows:
        item = " {" + ",".join(map(str, row)) + "}," if isinstance(row, tuple) else f" {row},"
        if len(line) + len(item) > width:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


def main():
    schemas = sorted(defs.get_all_schemas_with_history(), key=lambda s: (s.domain, s.name, s.since_version))
    names = sorted({s.domain for s in schemas})
    domains = {name: i for i, name in enumerate(names)}
    rows = [schema_row(s, domains) for s in schemas]
    set_rows, set_starts = [], []
    for types in type_sets.numbers:
        set_starts.append((len(set_rows), len(types)))
        set_rows += [text.add(t) for t in types]
    print(f"// Made by tools/generate_schemas.py from onnx {onnx.__version__}: {len(rows)} operator versions. Not edited by hand.")
    print("// clang-format off")
    array("std::string_view kDomains", [f'"{name}"' for name in names])
    offsets, position = [], 0
    print("inline constexpr char kTextPool[] =")
    for value in text.numbers:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        print(f'    "{escaped}\\0"')
        offsets.append(position)
        position += len(value.encode()) + 1
    print("    ;")
    array("uint16_t kTextOffsets", offsets)
    array("uint16_t kTypeSetRows", set_rows)
    array("TypeSetRow kTypeSets", set_starts)
    array("ParameterRow kParameters", runs["parameter"])
    array("AttributeRow kAttributes", runs["attribute"])
    array("ConstraintRow kConstraints", runs["constraint"])
    array("SchemaRow kSchemas", rows)


if __name__ == "__main__":
    main()
