#include "ops/movement/packed.h"

#include <algorithm>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

constexpr DType kPackedTypes[] = {DType::kUInt4, DType::kInt4, DType::kFloat4E2M1, DType::kUInt2, DType::kInt2};

Tensor cast(const char* op_type, const Tensor& x, DType to) {
  return OpCase(op_type, 26).attribute("to", static_cast<int64_t>(to)).run({x});
}
DType plain_type(DType type) { return bit_width(type) == 4 ? DType::kUInt4 : DType::kUInt2; }

Tensor random_bits(std::mt19937& generator, Shape shape, DType type) {
  Tensor bits(std::move(shape), DType::kUInt8);
  for (uint8_t& value : bits.mutable_values<uint8_t>()) value = static_cast<uint8_t>(generator() % (1U << bit_width(type)));
  return bits;
}
// Elements of a packed type with those bits, and back.
Tensor packed(const Tensor& bits, DType type) { return cast("BitCast", cast("Cast", bits, plain_type(type)), type); }
Tensor bits_of(const Tensor& x) { return cast("Cast", cast("BitCast", x, plain_type(x.dtype())), DType::kUInt8); }

void expect_bits(const Tensor& actual, DType type, const Tensor& bits) {
  ASSERT_EQ(actual.dtype(), type);
  ASSERT_EQ(actual.shape(), bits.shape());
  EXPECT_TRUE(std::ranges::equal(bits_of(actual).values<uint8_t>(), bits.values<uint8_t>())) << type_string(type);
}

TEST(Packed, OperatorsMoveTheSameElementsAsOfBytes) {
  std::mt19937 generator(7);
  for (const DType type : kPackedTypes) {
    const Tensor x = random_bits(generator, {3, 5, 7}, type), one = random_bits(generator, {}, type);
    const auto check = [&](OpCase node, const std::vector<Tensor>& others, const std::vector<Tensor>& packed_others) {
      std::vector<Tensor> plain = {x}, small = {packed(x, type)};
      plain.insert(plain.end(), others.begin(), others.end());
      small.insert(small.end(), packed_others.begin(), packed_others.end());
      expect_bits(node.run(small), type, node.run(plain));
    };
    check(OpCase("Transpose", 25), {}, {});
    check(OpCase("Transpose", 25).ints("perm", {1, 0, 2}), {}, {});
    const Tensor pads = int64s({1, 0, -2, 0, 2, 3});
    check(OpCase("Pad", 25), {pads, one}, {pads, packed(one, type)});
    check(OpCase("Pad", 25).attribute("mode", "reflect"), {pads}, {pads});
    const Tensor shape = int64s({7, -1});
    check(OpCase("Reshape", 25), {shape}, {shape});
    check(OpCase("Flatten", 25), {}, {});
    check(OpCase("Identity", 25), {}, {});
    check(OpCase("Unsqueeze", 25), {int64s({0})}, {int64s({0})});
    const Tensor update = random_bits(generator, {3, 2, 7}, type), starts = int64s({0, 4, 3});
    check(OpCase("TensorScatter", 24).attribute("mode", "circular"), {update, starts}, {packed(update, type), starts});
  }
}

TEST(Packed, LargeTensorsAreSplitAmongThreads) {
  std::mt19937 generator(8);
  for (const DType type : kPackedTypes) {
    const Tensor x = random_bits(generator, {401, 503}, type);
    expect_bits(OpCase("Transpose").run({packed(x, type)}), type, OpCase("Transpose").run({x}));
  }
}

TEST(Packed, EmptyTensors) {
  EXPECT_EQ(OpCase("Transpose").run({Tensor({0, 3}, DType::kInt4)}).shape(), (Shape{3, 0}));
  EXPECT_EQ(OpCase("Pad").run({Tensor({0}, DType::kUInt2), int64s({1, 2})}).shape(), (Shape{3}));
}

TEST(Packed, ConstantOfShape) {
  for (const DType type : kPackedTypes) {
    const Tensor value = packed(Tensor::of<uint8_t>({1}, {2}), type);
    const Tensor y = OpCase("ConstantOfShape", 25).attribute("value", model::encode(value)).run({int64s({3, 3})});
    expect_bits(y, type, Tensor::of<uint8_t>({3, 3}, {2, 2, 2, 2, 2, 2, 2, 2, 2}));
    EXPECT_EQ(static_cast<const uint8_t*>(y.raw())[y.byte_size() - 1], 2);  // one element, the rest zero
  }
}

TEST(Packed, RefusesMixedTypes) {
  const Tensor x({2}, DType::kInt4), pads = int64s({1, 1});
  EXPECT_EQ(OpCase("Pad").error({x, pads, Tensor({}, DType::kUInt4)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, pads, Tensor({}, DType::kUInt8)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("TensorScatter", 24).error({Tensor({1, 2, 2}, DType::kInt4), Tensor({1, 1, 2}, DType::kUInt4)}).first,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
