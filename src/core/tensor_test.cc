#include "sardonyx/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "core/expect_error.h"
#include "sardonyx/state_dict.h"

namespace sardonyx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Error, TrailGrowsOutwards) {
  const std::string message = message_of(ErrorCode::kUnsupported, [] {
    with_trail([] { return "model.onnx"; },
               [] { with_trail([] { return "node 'up1'"; }, [] { throw Error(ErrorCode::kUnsupported, "no kernel"); }); });
  });
  EXPECT_EQ(message, "model.onnx: node 'up1': no kernel");
}

TEST(Tensor, StartsAtZeroAndIsAligned) {
  const Tensor tensor({2, 3});
  EXPECT_THAT(tensor.values<float>(), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.raw()) % 64, 0u);
  EXPECT_EQ(tensor.byte_size(), 24u);
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor a = Tensor::of<int32_t>({3}, {1, 2, 3});
  Tensor b = a;
  const Tensor c = a.clone();
  b.mutable_values<int32_t>()[0] = 9;
  EXPECT_EQ(a.values<int32_t>()[0], 9);
  EXPECT_EQ(c.values<int32_t>()[0], 1);
  EXPECT_EQ(a.identity(), b.identity());
  EXPECT_NE(a.identity(), c.identity());
}

TEST(Tensor, ReadOnlyViewsRefuseWriting) {
  const float data[] = {1, 2};
  Tensor view = Tensor::view(nullptr, data, {2}, DType::kFloat32);
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { view.mutable_values<float>(); }), HasSubstr("clone()"));
  float mine[] = {1, 2};
  Tensor::from_blob(mine, {2}).mutable_values<float>()[1] = 5;
  EXPECT_EQ(mine[1], 5);
}

TEST(Tensor, ReshapeInfersOneSize) {
  const Tensor tensor({2, 3, 4});
  EXPECT_THAT(tensor.reshape({-1, 6}).shape(), ElementsAre(4, 6));
  EXPECT_EQ(tensor.reshape({24}).raw(), tensor.raw());
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument,
                         [&] {
                           tensor.reshape({5, -1});
                         }),
              HasSubstr("[2, 3, 4] cannot be reshaped to [5, -1]"));
  EXPECT_THROW(tensor.reshape({-1, -1}), Error);
  EXPECT_THROW(tensor.reshape({-7}), Error);
  EXPECT_THROW(Tensor({0, 3}).reshape({0, -1}), Error);
}

TEST(Tensor, AbsurdSizesAreErrors) {
  message_of(ErrorCode::kInvalidArgument, [] { Tensor({2, -1}); });
  message_of(ErrorCode::kResourceLimit, [] { Tensor({int64_t{1} << 40, int64_t{1} << 40}); });
  message_of(ErrorCode::kResourceLimit, [] { Tensor({int64_t{1} << 62}, DType::kFloat64); });
  EXPECT_EQ(Tensor({int64_t{1} << 40, 0, int64_t{1} << 40}).numel(), 0);
}

TEST(Tensor, PackedTypesRoundUpToBytes) {
  EXPECT_EQ(storage_bytes(DType::kInt4, 5), 3u);
  EXPECT_EQ(storage_bytes(DType::kUInt2, 5), 2u);
  EXPECT_EQ(storage_bytes(DType::kUInt2, 8), 2u);
}

TEST(Tensor, ConvertsLikeCasts) {
  const Tensor from = Tensor::of<float>({5}, {1.5f, -2.7f, 0.0f, 300.0f, NAN});
  EXPECT_THAT(from.to(DType::kInt32).values<int32_t>(), ElementsAre(1, -2, 0, 300, 0));
  EXPECT_THAT(from.to(DType::kUInt8).values<uint8_t>(), ElementsAre(1, 0, 0, 255, 0));
  EXPECT_THAT(from.to(DType::kBool).values<bool>(), ElementsAre(true, true, false, true, true));
  EXPECT_EQ(from.to(DType::kFloat16).to(DType::kFloat64).values<double>()[1], -2.69921875);
  message_of(ErrorCode::kUnsupported, [&] { from.to(DType::kInt4); });
}

TEST(Tensor, AStoredViewIsCopiedOnlyWhenItIsReadAndNotInOrder) {
  alignas(8) std::array<std::byte, 13> bytes{};
  const std::array<float, 3> values = {1, 2, 3};
  std::memcpy(bytes.data() + 1, values.data(), sizeof(values));
  const Tensor odd = Tensor::stored_view(nullptr, bytes.data() + 1, {3}, DType::kFloat32);
  const Tensor shaped = odd.reshape({3, 1});
  EXPECT_EQ(odd.stored(), bytes.data() + 1);
  EXPECT_TRUE(odd.is_read_only());
  EXPECT_THAT(odd.values<float>(), ElementsAre(1, 2, 3));
  EXPECT_NE(odd.raw(), odd.stored());
  EXPECT_EQ(shaped.raw(), odd.raw());
  EXPECT_THAT(odd.clone().values<float>(), ElementsAre(1, 2, 3));

  std::memcpy(bytes.data(), values.data(), sizeof(values));
  EXPECT_EQ(Tensor::stored_view(nullptr, bytes.data(), {3}, DType::kFloat32).raw(), bytes.data());
  std::array<uint8_t, 3> flags = {0, 1, 1};
  EXPECT_EQ(Tensor::stored_view(nullptr, flags.data(), {3}, DType::kBool).raw(), flags.data());
  flags[1] = 7;
  EXPECT_THAT(Tensor::stored_view(nullptr, flags.data(), {3}, DType::kBool).values<bool>(), ElementsAre(false, true, true));
}

TEST(Tensor, WrongElementTypeIsNamed) {
  EXPECT_EQ(message_of(ErrorCode::kInvalidArgument, [] { Tensor({1}).values<double>(); }), "the tensor holds float, it was read as double");
  message_of(ErrorCode::kInvalidArgument, [] { Tensor().shape(); });
  EXPECT_EQ(Tensor::scalar<int64_t>(4).item<int64_t>(), 4);
  EXPECT_EQ(Tensor({2, 5}).size(-1), 5);
  EXPECT_THROW(Tensor({2, 5}).size(2), Error);
}

TEST(Tensor, Strings) {
  const Tensor tensor = Tensor::of_strings({2}, {"a", "b"});
  EXPECT_THAT(tensor.clone().strings(), ElementsAre("a", "b"));
  EXPECT_THROW(Tensor::of_strings({3}, {"a"}), Error);
}

TEST(StateDict, KeepsOrderAndHints) {
  StateDict state;
  state.set("conv1.weight", Tensor({1}));
  state.set("conv1.bias", Tensor({2}));
  state.set("conv1.weight", Tensor({3}));
  EXPECT_EQ(state.size(), 2u);
  EXPECT_EQ(state.begin()->first, "conv1.weight");
  EXPECT_THAT(state.at("conv1.weight").shape(), ElementsAre(3));
  EXPECT_EQ(message_of(ErrorCode::kInvalidArgument, [&] { state.at("conv1.wieght"); }),
            "the state dict has no 'conv1.wieght'; did you mean 'conv1.weight'?");
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { state.at("zzz"); }), HasSubstr("it has 'conv1.weight', 'conv1.bias'"));
}

}  // namespace
}  // namespace sardonyx
