// Reading and writing: lossless for every field, and safe on broken bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <limits>
#include <random>

#include "model/random_message.h"
#include "sardonyx/error.h"
#include "sardonyx/model.h"
#include "wire/writer.h"

namespace sardonyx::model {
namespace {

using testing::HasSubstr;

Model parse(const std::string& bytes, ReadLimits limits = {}) {
  return parse_model(bytes, nullptr, {.limits = limits, .external_data = false});
}

// What `body` writes, as bytes.
template <class Body>
std::string wire_bytes(Body&& body) {
  wire::SizeCounter counter;
  body(counter);
  std::string bytes;
  wire::Writer writer(counter.lengths(), [&](std::string_view piece) { bytes.append(piece); });
  body(writer);
  writer.flush();
  return bytes;
}

// A model whose only node has one attribute, written by `body`.
template <class Body>
std::string attribute_bytes(Body&& body) {
  return wire_bytes([&](auto& out) { out.nested(7, [&] { out.nested(1, [&] { out.nested(5, [&] { body(out); }); }); }); });
}

std::string error_of(const std::string& bytes, ErrorCode code, ReadLimits limits = {}) {
  try {
    parse(bytes, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

Model random_model(uint64_t seed, double density, int depth) {
  Model model;
  RandomMessage(seed, density, depth).fill(model);
  return model;
}

TEST(RoundTrip, EveryFieldComesBack) {
  for (const double density : {0.3, 0.6, 0.9}) {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      const Model model = random_model(seed, density, density > 0.8 ? 4 : 6);
      const std::string bytes = serialize(model);
      const Model again = parse(bytes);
      ASSERT_TRUE(again == model) << "seed " << seed << ", density " << density;
      ASSERT_EQ(serialize(again), bytes) << "seed " << seed << ", density " << density;
    }
  }
}

TEST(RoundTrip, DifferentModelsAreUnequal) {
  const Model model = random_model(5, 0.8, 5);
  Model other = model;
  EXPECT_TRUE(other == model);
  other.graph.name += "x";
  EXPECT_FALSE(other == model);
  EXPECT_NE(serialize(other), serialize(model));
}

TEST(RoundTrip, AnEmptyModelHasNoBytes) {
  EXPECT_EQ(serialize(Model{}), "");
  EXPECT_TRUE(parse("") == Model{});
}

TEST(RoundTrip, FieldsThatArePresentWithTheirDefaultAreKept) {
  const std::string bytes = wire_bytes([](auto& out) {
    out.varint(1, 0);
    out.bytes(2, "");
    out.nested(7, [&] {
      out.nested(5, [&] {
        out.bytes(9, "");
        out.varint(14, 0);
      });
      out.nested(11, [&] { out.nested(2, [] {}); });
      out.nested(12,
                 [&] { out.nested(2, [&] { out.nested(1, [&] { out.nested(2, [&] { out.nested(1, [&] { out.varint(1, 0); }); }); }); }); });
    });
  });
  const Model model = parse(bytes);
  EXPECT_TRUE(model.presence.has(1));
  EXPECT_FALSE(model.presence.has(3));
  EXPECT_TRUE(model.graph.input[0].presence.has(2));
  EXPECT_TRUE(model.graph.input[0].type.absent());
  EXPECT_EQ(model.graph.output[0].type.tensor()->shape.dims[0].size(), 0);
  EXPECT_EQ(serialize(model), bytes);
}

TEST(RoundTrip, UnknownFieldsAreKeptInOrder) {
  const std::string bytes = wire_bytes([](auto& out) {
    out.varint(1, 8);
    out.bytes(500, "first");
    out.fixed32(501, 7);
    out.bare_bytes("\xfb\x1f\x08\x01\xfc\x1f");  // group 511
  });
  const Model model = parse(bytes);
  EXPECT_EQ(serialize(model), bytes);

  const std::string scattered = wire_bytes([](auto& out) {
    out.bytes(500, "first");
    out.varint(1, 8);
    out.bytes(500, "second");
  });
  const Model sorted = parse(scattered);
  EXPECT_EQ(sorted.unknown.text(), wire_bytes([](auto& out) {
              out.bytes(500, "first");
              out.bytes(500, "second");
            }));
  EXPECT_TRUE(parse(serialize(sorted)) == sorted);
}

TEST(RoundTrip, AnotherWireTypeOrEnumNumberIsAnUnknownField) {
  const std::string bytes = attribute_bytes([](auto& out) {
    out.bytes(1, "a");
    out.varint(3, 5);
    out.varint(4, 77);   // s is bytes
    out.varint(20, 99);  // no such type
  });
  const Model model = parse(bytes);
  const Attribute& attribute = model.graph.node[0].attribute[0];
  EXPECT_TRUE(attribute.s.empty());
  EXPECT_EQ(attribute.type, Attribute::Type::kInt);
  EXPECT_TRUE(attribute.presence.has(Attribute::kTypeLeftOut));
  EXPECT_EQ(serialize(model), bytes);
}

TEST(RoundTrip, ScalarsMayBePackedOrNot) {
  const std::string packed = attribute_bytes([](auto& out) {
    out.nested(7, [&] { out.bare_bytes({"\0\0\x80\x3f\0\0\0\x40", 8}); });
    out.nested(8, [&] { out.bare_varint(3), out.bare_varint(300); });
    out.varint(20, 7);
  });
  const std::string single = attribute_bytes([](auto& out) {
    out.fixed32(7, 0x3f800000);
    out.fixed32(7, 0x40000000);
    out.varint(8, 3);
    out.varint(8, 300);
    out.varint(20, 7);
  });
  EXPECT_TRUE(parse(packed) == parse(single));
  EXPECT_EQ(parse(packed).graph.node[0].attribute[0].ints, (std::vector<int64_t>{3, 300}));
  EXPECT_EQ(serialize(parse(packed)), single);

  TensorData tensor;
  tensor.float_data = {1.5f, -2};
  tensor.int64_data = {-1, 5};
  tensor.dims = {2};
  const std::string canonical = serialize(tensor);
  const std::string loose = wire_bytes([](auto& out) {
    out.nested(1, [&] { out.bare_varint(2); });
    out.fixed32(4, 0x3fc00000);
    out.fixed32(4, 0xc0000000);
    out.varint(7, ~uint64_t{0});
    out.varint(7, 5);
  });
  EXPECT_NE(loose, canonical);
  EXPECT_TRUE(parse_tensor(loose, nullptr) == tensor);
  EXPECT_EQ(serialize(parse_tensor(loose, nullptr)), canonical);
}

TEST(RoundTrip, ASingularFieldThatComesTwiceIsMerged) {
  const auto graph = [](auto& out, const char* name, const char* output) {
    out.nested(7, [&] {
      out.nested(1, [&] { out.bytes(2, output); });
      out.bytes(2, name);
    });
  };
  const Model model = parse(wire_bytes([&](auto& out) {
    out.varint(1, 3);
    graph(out, "first", "a");
    graph(out, "second", "b");
    out.varint(1, 8);
  }));
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.graph.name, "second");
  ASSERT_EQ(model.graph.node.size(), 2u);
  EXPECT_EQ(model.graph.node[1].output[0], "b");

  const auto sequence = [](auto& out, uint64_t elem_type, const char* denotation) {
    out.nested(4, [&] {
      out.nested(1, [&] {
        out.nested(1, [&] { out.varint(1, elem_type); });
        out.bytes(6, denotation);
      });
    });
  };
  const Model typed = parse(wire_bytes([&](auto& out) {
    out.nested(7, [&] {
      out.nested(11, [&] {
        out.nested(2, [&] {
          sequence(out, 1, "old");
          sequence(out, 7, "new");
        });
      });
    });
  }));
  const auto& merged = std::get<SequenceType>(typed.graph.input[0].type.value);
  EXPECT_EQ(type_string(*merged.elem_type), "tensor(int64)");
  EXPECT_EQ(merged.elem_type->denotation, "new");
}

TEST(RoundTrip, TheLastValueDecidesWhatIsPresent) {
  const Model back_to_zero = parse(wire_bytes([](auto& out) { out.varint(1, 8), out.varint(1, 0); }));
  EXPECT_TRUE(back_to_zero.presence.has(1));
  const Model from_zero = parse(wire_bytes([](auto& out) { out.varint(1, 0), out.varint(1, 8); }));
  EXPECT_FALSE(from_zero.presence.has(1));
}

TEST(RoundTrip, AttributesWithoutTypeKeepBeingWithout) {
  const auto check = [](auto body, Attribute::Type type) {
    const std::string bytes = attribute_bytes(body);
    const Model model = parse(bytes);
    EXPECT_EQ(model.graph.node[0].attribute[0].type, type);
    EXPECT_EQ(serialize(model), bytes);
    Model edited = model;
    edited.graph.node[0].attribute[0] = Attribute::of("a", "text");
    EXPECT_EQ(parse(serialize(edited)).graph.node[0].attribute[0].type, Attribute::Type::kString);
  };
  using T = Attribute::Type;
  check([](auto& out) { out.bytes(1, "a"), out.fixed32(2, 0); }, T::kFloat);
  check([](auto& out) { out.bytes(1, "a"), out.varint(3, 0); }, T::kInt);
  check([](auto& out) { out.bytes(1, "a"), out.bytes(4, ""); }, T::kString);
  check([](auto& out) { out.nested(5, [] {}); }, T::kTensor);
  check([](auto& out) { out.nested(6, [] {}); }, T::kGraph);
  check([](auto& out) { out.fixed32(7, 0); }, T::kFloats);
  check([](auto& out) { out.varint(8, 0); }, T::kInts);
  check([](auto& out) { out.bytes(9, ""); }, T::kStrings);
  check([](auto& out) { out.nested(10, [] {}); }, T::kTensors);
  check([](auto& out) { out.nested(11, [] {}); }, T::kGraphs);
  check([](auto& out) { out.nested(14, [] {}); }, T::kTypeProto);
  check([](auto& out) { out.nested(15, [] {}); }, T::kTypeProtos);
  check([](auto& out) { out.nested(22, [] {}); }, T::kSparseTensor);
  check([](auto& out) { out.nested(23, [] {}); }, T::kSparseTensors);
  check([](auto& out) { out.bytes(1, "a"); }, T::kUndefined);
  check([](auto& out) { out.varint(20, 0); }, T::kUndefined);
}

TEST(RoundTrip, TheValueThatTheTypeNamesIsWrittenEvenIfZero) {
  Model model;
  model.has_graph = true;
  model.graph.node.emplace_back().attribute = {Attribute::of("f", 0.0f), Attribute::of("i", 0), Attribute::of("s", "")};
  const Model again = parse(serialize(model));
  EXPECT_TRUE(again == model);
  const std::string expected = wire_bytes([](auto& out) { out.bytes(1, "i"), out.varint(3, 0), out.varint(20, 2); });
  EXPECT_THAT(serialize(model), HasSubstr(expected));

  const std::string left_out = attribute_bytes([](auto& out) { out.bytes(1, "i"), out.varint(20, 2); });
  EXPECT_EQ(serialize(parse(left_out)), left_out);
  const std::string referring = attribute_bytes([](auto& out) { out.varint(20, 2), out.bytes(21, "outer"); });
  EXPECT_EQ(serialize(parse(referring)), referring);
}

TEST(RoundTrip, NanAndNegativeZeroAreValuesLikeOthers) {
  Model model;
  model.has_graph = true;
  Attribute odd = Attribute::of("odd", std::vector<float>{NAN, -0.0f});
  odd.f = -0.0f;
  odd.t = std::make_shared<TensorData>();
  odd.t->double_data = {std::numeric_limits<double>::quiet_NaN()};
  model.graph.node.emplace_back().attribute = {odd};
  const Model again = parse(serialize(model));
  EXPECT_TRUE(again == model);
  EXPECT_TRUE(std::signbit(again.graph.node[0].attribute[0].f));
  model.graph.node[0].attribute[0].f = 0;
  EXPECT_FALSE(again == model);
}

TEST(RoundTrip, PayloadsAreViewsOnTheOwnersBytes) {
  TensorData tensor;
  tensor.raw_data = Bytes::copy_of("payload");
  const auto bytes = std::make_shared<const std::string>(serialize(tensor));
  const TensorData again = parse_tensor(*bytes, bytes);
  EXPECT_GE(again.raw_data.text().data(), bytes->data());
  EXPECT_LE(again.raw_data.text().data() + again.raw_data.size(), bytes->data() + bytes->size());
  EXPECT_EQ(again.raw_data.owner(), bytes);
}

TEST(BrokenBytes, ErrorsTellTheWayToTheField) {
  const std::string bytes = attribute_bytes([](auto& out) { out.bytes(5, "\x0a"); });
  EXPECT_THAT(error_of(bytes, ErrorCode::kInvalidModel), HasSubstr("graph: node[0]: attribute[0]: t: byte "));
}

TEST(BrokenBytes, EveryTruncationIsAnErrorOrAModel) {
  const std::string bytes = serialize(random_model(3, 0.7, 5));
  ASSERT_GT(bytes.size(), 1000u);
  size_t errors = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut(bytes, 0, size);
    try {
      const Model model = parse(cut);
      EXPECT_TRUE(parse(serialize(model)) == model);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidModel) << error.what();
      ++errors;
    }
  }
  EXPECT_GT(errors, bytes.size() / 2);
}

TEST(BrokenBytes, RandomMutationsAreAnErrorOrAModel) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::vector<std::string> originals;
  for (uint64_t i = 1; i <= 8; ++i) originals.push_back(serialize(random_model(i, 0.5, 6)));
  size_t models = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = originals[random() % originals.size()];
    for (uint64_t changes = 1 + random() % 4; changes > 0 && !bytes.empty(); --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      const Model model = parse(bytes);
      ASSERT_TRUE(parse(serialize(model)) == model) << "seed " << seed << ", round " << round;
      ++models;
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ErrorCode::kInvalidModel || error.code() == ErrorCode::kResourceLimit) << error.what();
    }
  }
  EXPECT_GT(models, 0u);
}

// `levels` messages within each other, each the field `number` of the one around it.
std::string nest(int levels, std::initializer_list<uint32_t> numbers, std::string bytes = {}) {
  for (int i = 0; i < levels; ++i) {
    for (const uint32_t number : numbers) bytes = wire_bytes([&](auto& out) { out.bytes(number, bytes); });
  }
  return bytes;
}

TEST(Limits, DepthIsBounded) {
  const std::string graphs = nest(1, {7}, nest(1000, {6, 5, 1}));
  EXPECT_THAT(error_of(graphs, ErrorCode::kResourceLimit), HasSubstr("nested deeper than 64 levels"));
  const std::string types = nest(1, {2, 11, 7}, nest(1000, {1, 4}));
  error_of(types, ErrorCode::kResourceLimit);
  EXPECT_TRUE(parse(nest(1, {7}, nest(20, {6, 5, 1}))).has_graph);
}

TEST(Limits, MessagesElementsAndMemoryAreBounded) {
  std::string nodes;
  for (int i = 0; i < 100; ++i) nodes += std::string("\x0a\x00", 2);
  const std::string bytes = wire_bytes([&](auto& out) { out.bytes(7, nodes); });
  EXPECT_EQ(parse(bytes).graph.node.size(), 100u);
  EXPECT_THAT(error_of(bytes, ErrorCode::kResourceLimit, {.max_messages = 50}), HasSubstr("more than 50 messages"));
  EXPECT_THAT(error_of(bytes, ErrorCode::kResourceLimit, {.max_memory = 10000}), HasSubstr("bytes of memory"));
  EXPECT_THAT(error_of(bytes, ErrorCode::kResourceLimit, {.max_file_bytes = 10}), HasSubstr("exceed the limit of 10"));

  const std::string ints = attribute_bytes([](auto& out) { out.bytes(8, std::string(1000, '\x01')); });
  EXPECT_THAT(error_of(ints, ErrorCode::kResourceLimit, {.max_elements = 999}), HasSubstr("elements"));
  EXPECT_EQ(parse(ints, {.max_elements = 1000}).graph.node[0].attribute[0].ints.size(), 1000u);
}

}  // namespace
}  // namespace sardonyx::model
