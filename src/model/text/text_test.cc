// The text syntax: what is printed, what is parsed, and that nothing is lost between.
#include "sardonyx/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <random>

#include "model/random_message.h"
#include "sardonyx/error.h"

namespace sardonyx::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kModel = R"(<
   ir_version: 9,
   producer_name: "sardonyx",
   doc_string: "says \"hi\" \\ two
lines",
   opset_import: ["" : 17, "com.x" : 1],
   metadata_props: ["key": "value"]
>
main (float[N,3] x, seq(int64[]) "s p") => (float[?,"a b"] y)
   <float[3] w = {1, -0.0, 1e-45},
    int8[2] k = ["location": "k.bin", "length": "2"],
    float h>
{
   [first] h = Add (x, w)
   y = com.x.Op:over <alpha: float = 0.5, axes: ints = [1, -2], mode: string = "linear", other: int = @outer> (h, "", k)
}
<
   opset_import: ["" : 17],
   domain: "com.x"
>
Op <outer, scale: float = 2.0> (a, "seq", k) => (b) <float[2] c>
{
   b = Identity (a)
}
)";

std::string error_of(std::string_view text, ErrorCode code = ErrorCode::kInvalidModel, const ParseTextOptions& options = {}) {
  try {
    parse_text_model(text, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown for: " << text.substr(0, 200);
  return {};
}

std::string node_error(std::string_view text) {
  try {
    parse_text_node(text);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown for: " << text;
  return {};
}

TEST(Text, OfAModelReadsAsOnnxHasIt) {
  const Model model = parse_text_model(kModel);
  EXPECT_EQ(model.ir_version, 9);
  EXPECT_EQ(model.doc_string, "says \"hi\" \\ two\nlines");
  EXPECT_EQ(model.opset_version("com.x"), 1);
  EXPECT_EQ(*find_value(model.metadata_props, "key"), "value");
  const Graph& graph = model.graph;
  EXPECT_EQ(graph.input[1].name, "s p");
  EXPECT_EQ(type_string(graph.input[1].type), "seq(tensor(int64))");
  EXPECT_EQ(to_string(graph.output[0].type.tensor()->shape), "[?, a b]");
  EXPECT_EQ(graph.initializer[0].float_data[2], std::numeric_limits<float>::denorm_min());
  EXPECT_TRUE(std::signbit(graph.initializer[0].float_data[1]));
  EXPECT_TRUE(graph.initializer[1].is_external());
  EXPECT_EQ(*find_value(graph.initializer[1].external_data, "location"), "k.bin");
  EXPECT_TRUE(graph.value_info[0].type.tensor()->has_shape);
  const Node& node = graph.node[1];
  EXPECT_EQ(node.domain, "com.x");
  EXPECT_EQ(node.op_type, "Op");
  EXPECT_EQ(node.overload, "over");
  EXPECT_THAT(node.input, ElementsAre("h", "", "k"));
  EXPECT_EQ(get_float(node, "alpha", 0), 0.5f);
  EXPECT_THAT(get_ints(node, "axes"), ElementsAre(1, -2));
  EXPECT_EQ(node.find_attribute("other")->ref_attr_name, "outer");
  EXPECT_EQ(node.find_attribute("other")->type, Attribute::Type::kInt);
  EXPECT_THAT(model.functions[0].attribute, ElementsAre("outer"));
  EXPECT_EQ(model.functions[0].attribute_proto[0].f, 2);
  EXPECT_THAT(model.functions[0].input, ElementsAre("a", "seq", "k"));
}

TEST(Text, OfAModelIsPrintedAsItWasRead) {
  std::string printed = to_text(parse_text_model(kModel));
  printed = to_text(parse_text_model(printed));
  // Initializers and nodes are placed as above but for the brace, which follows the signature of the function.
  std::string expected = kModel;
  expected.replace(expected.find("<float[2] c>\n{"), 14, "<float[2] c> {");
  EXPECT_EQ(printed, expected);
}

TEST(Text, TakesWhatOnnxTakes) {
  const Graph graph = parse_text_graph(R"(
    g (float[2] a = {1, 2}, b, float c = {3.5}) => (d) # the default of an input is an initializer
    <int32[1] i = {7}, float[N] v>
    { d, = Op(a, , b,)  e=Op2<k=1,o=float[2],p=other(x)=>(x){}>() =F() <z=1> }
  )");
  EXPECT_THAT(graph.initializer, testing::SizeIs(3));
  EXPECT_EQ(graph.initializer[1].name, "c");
  EXPECT_THAT(graph.initializer[1].float_data, ElementsAre(3.5f));
  EXPECT_THAT(graph.initializer[2].int32_data, ElementsAre(7));
  EXPECT_TRUE(graph.input[1].type.absent());
  EXPECT_EQ(graph.value_info[0].name, "v");
  EXPECT_THAT(graph.node, testing::SizeIs(3));
  EXPECT_EQ(graph.node[1].attribute[2].g->input[0].name, "x");
  EXPECT_EQ(get_int(graph.node[2], "z", 0), 1);
}

TEST(Text, CommasMayEndAListOfNamesOnly) {
  const Node node = parse_text_node("d, = Op(a, , b,)");
  EXPECT_THAT(node.output, ElementsAre("d"));
  EXPECT_THAT(node.input, ElementsAre("a", "", "b"));
  EXPECT_THAT(parse_text_node("= Op(,)").input, ElementsAre(""));
  EXPECT_THAT(parse_text_node("= Op()").input, ElementsAre());
  EXPECT_THAT(parse_text_node("= Op(\"\")").input, ElementsAre(""));
}

TEST(Text, TypesOfAttributesMayBeLeftOut) {
  using T = Attribute::Type;
  const auto type_of = [](const std::string& value) { return parse_text_attribute("a = " + value).type; };
  EXPECT_EQ(type_of("1"), T::kInt);
  EXPECT_EQ(type_of("1."), T::kFloat);
  EXPECT_EQ(type_of("-inf"), T::kFloat);
  EXPECT_EQ(type_of("NaN"), T::kFloat);
  EXPECT_EQ(type_of("\"s\""), T::kString);
  EXPECT_EQ(type_of("[1, 2]"), T::kInts);
  EXPECT_EQ(type_of("[1.5, 2]"), T::kFloats);
  EXPECT_EQ(type_of("[\"s\"]"), T::kStrings);
  EXPECT_EQ(type_of("float[2] {1, 2}"), T::kTensor);
  EXPECT_EQ(type_of("float[2] t = {1, 2}"), T::kTensor);
  EXPECT_EQ(type_of("[float {1}, int64 {2}]"), T::kTensors);
  EXPECT_EQ(type_of("float[2]"), T::kTypeProto);
  EXPECT_EQ(type_of("[seq(float[]), float]"), T::kTypeProtos);
  EXPECT_EQ(type_of("info () => () {}"), T::kGraph);
  EXPECT_EQ(type_of("\"if\" () => () {}"), T::kGraph);
  EXPECT_EQ(type_of("[a () => () {}, b () => () {}]"), T::kGraphs);
  EXPECT_EQ(type_of("{values: float[1] {1}, indices: int64[1] {0}, dims: [5]}"), T::kSparseTensor);
  EXPECT_EQ(type_of("@outer"), T::kUndefined);
  EXPECT_EQ(parse_text_attribute("a: float = 2").f, 2);
  EXPECT_EQ(parse_text_attribute("a: int = [3]").type, T::kInts);
  EXPECT_EQ(parse_text_attribute("a: ints = []").type, T::kInts);
  EXPECT_EQ(parse_text_attribute("a: graph").type, T::kGraph);
}

TEST(Text, OfTypes) {
  for (const char* text : {"float", "float[]", "float[1,N,?,\"a-b\"]", "seq(optional(float16[2]))", "map(int64, string)", "optional()",
                           "sparse_tensor(double[3,4])", "opaque(a.b,Name)", "opaque(Name)", "opaque()", "opaque(d,)", "%77[2]",
                           "map(%0, %-3[])", "map(string)", "float[2] %{denotation: \"IMAGE\"}", "float[N %{denotation: \"BATCH\"},3]",
                           "float8e4m3fnuz[1]", "int2", "opaque(\"a b\",c.d)"}) {
    EXPECT_EQ(to_text(parse_text_type(text)), text);
  }
  EXPECT_EQ(std::get<OpaqueType>(parse_text_type("opaque(a.b.C)").value).name, "a.b.C");
}

TEST(Text, NamesThatReadAsTypesAreQuoted) {
  ValueInfo value;
  for (const char* name : {"float", "seq", "opaque", "a b", "", "1x", "a.b", "ä", "q\"\\", "nan", "x\n", "\x01", "\xff\x80"}) {
    value.name = name;
    EXPECT_EQ(parse_text_value_info(to_text(value)).name, name) << to_text(value);
    Node node;
    node.op_type = node.overload = node.name = node.domain = name;
    node.input = node.output = {name, name};
    node.attribute.push_back(Attribute::of(name, Graph()));
    node.attribute.back().g->name = name;
    EXPECT_TRUE(semantically_equal(parse_text_node(to_text(node)), node)) << to_text(node);
  }
  EXPECT_EQ(parse_text_value_info("opaque").name, "opaque");
}

TEST(Text, IsUtf8WithoutControlCharacters) {
  Attribute attribute = Attribute::of("a", std::string_view("\0é\xe9\x7f\n\"\\", 8));
  EXPECT_EQ(to_text(attribute), "a: string = %\"\\x00é\\xe9\\x7f\\x0a\\\"\\\\\"");
  EXPECT_EQ(parse_text_attribute(to_text(attribute)).s, attribute.s);
  EXPECT_EQ(to_text(Attribute::of("a", "\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80")),
            "a: string = %\"\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xc0\\x80\"");
  EXPECT_EQ(parse_text_attribute("a = \"\\n\\x41\"").s.text(), "nx41") << "as onnx has it";
}

template <class T, class Bits>
void expect_same_bits(Bits bits) {
  const auto value = std::bit_cast<T>(bits);
  TensorData tensor = encode(Tensor::scalar(value), "t");
  const TensorData again = parse_text_tensor(to_text(tensor));
  ASSERT_EQ(std::bit_cast<Bits>(decode(again).item<T>()), bits) << to_text(tensor);
}

TEST(Text, KeepsEveryBitOfFloats) {
  for (const uint32_t bits : {0u, 0x80000000u, 1u, 0x807fffffu, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00000u, 0x7f800001u,
                              0xff912345u, 0x7f7fffffu, 0x3dcccccdu, 0x4b800000u, 0x501502f9u}) {
    expect_same_bits<float>(bits);
  }
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    expect_same_bits<float>(static_cast<uint32_t>(random()));
    expect_same_bits<double>(random());
  }
  Attribute zero = Attribute::of("z", -0.0f);
  EXPECT_TRUE(std::signbit(parse_text_attribute(to_text(zero)).f));
}

TEST(Text, RawAndTypedElementsAreTheSame) {
  for (int number = 1; number < kDTypeCount; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (dtype == DType::kString) continue;
    TensorData raw;
    raw.data_type = number;
    raw.dims = {2, 3};
    std::string bytes(storage_bytes(dtype, 6), '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = dtype == DType::kBool ? static_cast<char>(i & 1) : static_cast<char>(i * 37 + 200);
    raw.raw_data = Bytes::copy_of(bytes);
    const TensorData typed = parse_text_tensor(to_text(raw));
    EXPECT_TRUE(typed.raw_data.empty());
    EXPECT_TRUE(semantically_equal(raw, typed)) << to_text(raw);
    EXPECT_EQ(to_text(typed), to_text(raw));
    std::string other = bytes;
    other[0] ^= 1;
    TensorData changed = raw;
    changed.raw_data = Bytes::copy_of(other);
    EXPECT_FALSE(semantically_equal(changed, typed));
  }
}

TEST(Text, UnsoundTensorsAreKept) {
  TensorData tensor;
  tensor.data_type = 1;
  tensor.dims = {-2, 3};
  tensor.raw_data = Bytes::copy_of("abc");
  tensor.float_data = {1, 2};
  tensor.int64_data = {-1};
  tensor.doc_string = "doc";
  tensor.has_segment = true;
  tensor.segment.end = 4;
  EXPECT_TRUE(semantically_equal(parse_text_tensor(to_text(tensor)), tensor)) << to_text(tensor);
  tensor.data_location = TensorData::Location::kExternal;
  EXPECT_TRUE(semantically_equal(parse_text_tensor(to_text(tensor)), tensor)) << to_text(tensor);
  tensor.data_type = 99;
  EXPECT_TRUE(semantically_equal(parse_text_tensor(to_text(tensor)), tensor)) << to_text(tensor);
}

TEST(Text, LeavesElementsOutOnlyWhenAsked) {
  const TensorData tensor = encode(Tensor::of<int64_t>({4}, {1, 2, 3, 4}), "t");
  EXPECT_EQ(to_text(tensor), "int64[4] t {1, 2, 3, 4}");
  EXPECT_EQ(to_text(tensor, {.max_elements = 4}), "int64[4] t {1, 2, 3, 4}");
  EXPECT_EQ(to_text(tensor, {.max_elements = 2}), "int64[4] t {1, 2, ...}");
  EXPECT_EQ(to_text(tensor, {.max_elements = 0}), "int64[4] t {...}");
  try {
    parse_text_tensor("int64[4] t {1, ...}");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("print the model in full"));
  }
}

TEST(Text, LosesNothing) {
  const uint64_t first = std::random_device()();
  std::cout << "seed " << first << "\n";
  for (const double density : {0.2, 0.5, 0.9}) {
    for (uint64_t seed = first; seed < first + 60; ++seed) {
      Model model;
      RandomMessage(seed, density, density > 0.8 ? 4 : 7).fill(model);
      const std::string text = to_text(model);
      Model again;
      ASSERT_NO_THROW(again = parse_text_model(text)) << "seed " << seed << ", density " << density;
      ASSERT_TRUE(semantically_equal(again, model)) << "seed " << seed << ", density " << density;
      ASSERT_EQ(to_text(again), text) << "seed " << seed << ", density " << density;
      again.graph.name += "x";
      ASSERT_FALSE(semantically_equal(again, model));
    }
  }
}

TEST(Text, OfMutatedTextsIsParsedOrRefused) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Model model;
  RandomMessage(seed, 0.5, 5).fill(model);
  const std::string sources[] = {kModel, to_text(model).substr(0, 20000)};
  constexpr std::string_view kSigns = "<>(){}[],:=@%\"\\?.-#/ \n0x1aefg\x80";
  int parsed = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text = sources[i % 2];
    for (uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const size_t at = random() % text.size();
      if (random() % 3 == 0) text.erase(at, 1 + random() % 4);
      if (random() % 3 == 0) text.insert(at, 1, kSigns[random() % kSigns.size()]);
      if (random() % 3 == 0) text[at % text.size()] = kSigns[random() % kSigns.size()];
    }
    try {
      const Model mutated = parse_text_model(text);
      ++parsed;
      ASSERT_TRUE(semantically_equal(parse_text_model(to_text(mutated)), mutated)) << "seed " << seed << ", text " << i;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInvalidModel) << error.what();
      ASSERT_TRUE(std::isdigit(error.what()[0])) << error.what();
    }
  }
  EXPECT_GT(parsed, 0);
}

TEST(TextErrors, TellWhereWhatAndQuoteTheLine) {
  EXPECT_EQ(error_of("g (float[2] x) => ()\n{\n   y = Relu (x}\n}"),
            "3:15: expected ',' or ')', found '}'\n"
            "     y = Relu (x}\n"
            "                ^");
  EXPECT_THAT(error_of(""), StartsWith("1:1: expected the name of a graph, found the end of the text"));
  EXPECT_THAT(error_of("<ir_versio: 3> g () => () {}"), StartsWith("1:2: expected one of: ir_version, producer_name, "));
  EXPECT_THAT(error_of("<ir_version: 3, ir_version: 4> g () => () {}"), HasSubstr("(once each), found 'ir_version'"));
  EXPECT_THAT(error_of("<graph: 1>"), HasSubstr("found 'graph'"));
  EXPECT_THAT(error_of("<ir_version: x> g () => () {}"), StartsWith("1:14: expected an integer, found 'x'"));
  EXPECT_THAT(error_of("<ir_version: 99999999999999999999> g () => () {}"), HasSubstr("'99999999999999999999' is outside its range"));
  EXPECT_THAT(error_of("g () = > () {}"), StartsWith("1:6: expected '=>', found '='"));
  EXPECT_THAT(error_of("g () => () {} \"open"), StartsWith("1:15: the string that begins here has no closing"));
  EXPECT_THAT(error_of("g () => () <float[N] w = {1}> {}"), StartsWith("1:13: expected sizes that are numbers"));
  EXPECT_THAT(error_of("g () => () <float[] w = {1}> {}"), HasSubstr("unknown rank"));
  EXPECT_THAT(error_of("g () => () <seq(float) w = {1}> {}"), HasSubstr("the type of a tensor"));
  EXPECT_THAT(error_of("g () => () <int8 w = {1.5}> {}"), HasSubstr("expected an integer of 32 bits, found '1.5'"));
  EXPECT_THAT(error_of("g () => () <uint64 w = {-1}> {}"), HasSubstr("expected an unsigned integer: '-1' is outside its range"));
  EXPECT_THAT(error_of(std::string(300, 'a') + " b"), HasSubstr("1:302: expected '=>', found 'b'"));
}

TEST(TextErrors, OfAttributes) {
  EXPECT_THAT(node_error("= A <a: flot = 1> ()"),
              HasSubstr("1:9: expected the type of an attribute (float, ints, tensor, ...), found 'flot'"));
  EXPECT_THAT(node_error("= A <a = []> ()"), HasSubstr("an empty list needs a type"));
  EXPECT_THAT(node_error("= A <a: int = []> ()"), HasSubstr("an empty list has the type floats"));
  EXPECT_THAT(node_error("= A <a: ints = 1> ()"), HasSubstr("expected '[', found '1'"));
  EXPECT_THAT(node_error("= A <a = [1, 2.5]> ()"), HasSubstr("expected an integer, found '2.5'"));
  EXPECT_THAT(node_error("= A <a: int 1> ()"), HasSubstr("expected '=', found '1'"));
  EXPECT_THAT(node_error("= A <a: float = nan(0x3f800000)> ()"), HasSubstr("the bits of a NaN"));
  EXPECT_THAT(node_error("= A <a: string = %\"\\xg0\"> ()"), HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(node_error("= A () x"), HasSubstr("expected the end of the text, found 'x'"));
}

std::string nested(int depth, const std::string& open, const std::string& close, const std::string& inner) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += inner;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(TextLimits, BoundTheDepth) {
  const std::string graphs = nested(199, "g () => () { = If <b = ", "> () }", "g () => () {}");
  const Model deep = parse_text_model(graphs);
  EXPECT_EQ(to_text(parse_text_model(to_text(deep))), to_text(deep));
  EXPECT_THROW(to_text(deep, {.max_depth = 100}), Error);
  EXPECT_THAT(error_of(nested(100000, "g () => () { = If <b = ", "> () }", "g () => () {}"), ErrorCode::kResourceLimit),
              StartsWith("1:4601: "));
  error_of("g (" + nested(100000, "seq(", ")", "float") + " x) => () {}", ErrorCode::kResourceLimit);
  error_of("<configuration: [{" + std::string(100000, '{') + "> g () => () {}");
  error_of("g () => () { = A <a = " + std::string(100000, '['));
}

TEST(TextLimits, BoundCountsAndMemory) {
  ParseTextOptions options;
  options.limits.max_messages = 10;
  error_of("g () => () {" + nested(20, "=A() ", "", "") + "}", ErrorCode::kResourceLimit, options);
  options.limits.max_messages = 1000;
  options.limits.max_elements = 10;
  error_of("g () => () <float[20] w = {" + nested(19, "1,", "", "1") + "}> {}", ErrorCode::kResourceLimit, options);
  options.limits.max_elements = 1000;
  options.limits.max_memory = 5000;
  error_of("g () => () <string w = {\"" + std::string(6000, 'x') + "\"}> {}", ErrorCode::kResourceLimit, options);
  options.limits.max_file_bytes = 10;
  error_of("g () => () {     }", ErrorCode::kResourceLimit, options);
}

TEST(TextLimits, TimeGrowsWithTheLength) {
  const auto seconds_for = [](int count) {
    const std::string text = "g () => () {" + nested(count, "a, b = Op <k = opaque(x), l = [1]> (opaque, \"\") # c\n", "", "") + "}";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(parse_text_model(text).graph.node.size(), static_cast<size_t>(count));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  seconds_for(1000);
  const double little = seconds_for(4000), much = seconds_for(64000);
  EXPECT_LT(much, 64 * little + 0.5) << little << " s for 4000 nodes, " << much << " s for 64000";
}

}  // namespace
}  // namespace sardonyx::model
