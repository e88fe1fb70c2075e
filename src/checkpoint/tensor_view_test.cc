#include "checkpoint/tensor_view.h"

#include <complex>
#include <random>

#include "checkpoint/element_types.h"
#include "checkpoint/test_archives.h"

namespace sardonyx::checkpoint::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Bytes bytes_view(const auto& values) { return {std::as_bytes(std::span(values)), nullptr}; }

Tensor view_of(const std::vector<float>& values, int64_t offset, Shape size, Shape stride, uint64_t limit = 1 << 20) {
  Bytes storage = bytes_view(values);
  CopyBudget budget(limit);
  return make_tensor(storage, {.dtype = DType::kFloat32, .offset = offset, .size = std::move(size), .stride = std::move(stride)}, budget);
}

std::string view_error(int64_t offset, Shape size, Shape stride) {
  const std::vector<float> values(12);
  return error_of([&] { view_of(values, offset, size, stride); });
}

TEST(TensorView, ContiguousElementsAreNotCopied) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(view_of(values, 2, {2, 2}, {2, 1}, 0).raw(), values.data() + 2);
  EXPECT_EQ(view_of(values, 0, {2, 1, 3}, {3, 77, 1}, 0).raw(), values.data());  // the stride of an axis of one does not matter
  EXPECT_EQ(view_of(values, 5, {}, {}, 0).item<float>(), 5);
  EXPECT_TRUE(view_of(values, 0, {6}, {1}, 0).is_read_only());
}

TEST(TensorView, StridedElementsAreGathered) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  EXPECT_THAT(view_of(values, 0, {3, 2}, {1, 3}).values<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(view_of(values, 1, {2, 3}, {0, 2}).values<float>(), ElementsAre(1, 3, 5, 1, 3, 5));
  EXPECT_THAT(error_of([&] { view_of(values, 0, {3, 2}, {1, 3}, 23); }), StartsWith("ResourceLimit"));
}

TEST(TensorView, RandomViewsMatchIndexArithmetic) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<float> values(4000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  for (int round = 0; round < 300; ++round) {
    Shape size;
    Shape stride;
    const size_t rank = random() % 5;
    for (size_t axis = 0; axis < rank; ++axis) {
      size.push_back(static_cast<int64_t>(random() % 5 + (random() % 8 != 0)));
      stride.push_back(static_cast<int64_t>(random() % 200));
    }
    const auto offset = static_cast<int64_t>(random() % 100);
    const Tensor tensor = view_of(values, offset, size, stride);
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      int64_t rest = i;
      int64_t at = offset;
      for (size_t axis = rank; axis-- > 0; rest /= size[axis]) at += rest % size[axis] * stride[axis];
      ASSERT_EQ(tensor.values<float>()[static_cast<size_t>(i)], static_cast<float>(at)) << to_string(size) << to_string(stride);
    }
  }
}

TEST(TensorView, ViewsStayWithinTheStorage) {
  EXPECT_EQ(view_error(0, {12}, {1}), "no error");
  EXPECT_EQ(view_error(100, {0}, {1}), "no error");  // no element, so none outside
  EXPECT_THAT(view_error(1, {12}, {1}), HasSubstr("reaches element 12 of a storage of 12 elements"));
  EXPECT_THAT(view_error(0, {2, 2}, {11, 1}), HasSubstr("reaches element 12"));
  EXPECT_THAT(view_error(-1, {2}, {1}), HasSubstr("negative"));
  EXPECT_THAT(view_error(0, {-2}, {1}), HasSubstr("negative"));
  EXPECT_THAT(view_error(5, {2}, {-1}), HasSubstr("negative"));
  EXPECT_THAT(view_error(0, {2}, {}), HasSubstr("one stride per axis"));
  EXPECT_THAT(view_error(INT64_MAX, {2}, {1}), HasSubstr("beyond any storage"));
  EXPECT_THAT(view_error(0, {3}, {INT64_MAX}), HasSubstr("beyond any storage"));
  EXPECT_THAT(view_error(0, {INT64_MAX, INT64_MAX}, {0, 0}), StartsWith("ResourceLimit"));
  EXPECT_THAT(view_error(0, {INT64_MAX / 8}, {0}), StartsWith("ResourceLimit"));
}

TEST(TensorView, MisalignedStoragesAreCopiedOnceAndStayShared) {
  alignas(8) std::array<std::byte, 17> raw{};
  Bytes storage{std::span(raw).subspan(1), nullptr};
  CopyBudget budget(16);
  const ElementView whole{.dtype = DType::kFloat32, .size = {4}, .stride = {1}};
  const ElementView part{.dtype = DType::kFloat32, .offset = 2, .size = {2}, .stride = {1}};
  const Tensor a = make_tensor(storage, whole, budget);
  const Tensor b = make_tensor(storage, part, budget);
  EXPECT_EQ(static_cast<const float*>(a.raw()) + 2, b.raw());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.raw()) % alignof(float), 0u);
}

TEST(TensorView, BigEndianElementsAreSwapped) {
  const std::array<uint8_t, 8> raw = {0, 0, 0, 1, 0, 0, 1, 0};
  Bytes storage = bytes_view(raw);
  CopyBudget budget(100);
  ElementView view{.dtype = DType::kInt32, .size = {2}, .stride = {1}, .swapped = true};
  EXPECT_THAT(make_tensor(storage, view, budget).values<int32_t>(), ElementsAre(1, 256));
  view = {.dtype = DType::kUInt8, .size = {8}, .stride = {1}, .swapped = true};
  EXPECT_EQ(make_tensor(storage, view, budget).raw(), raw.data());  // bytes have no order
  const std::array<uint8_t, 8> pair = {0x3F, 0x80, 0, 0, 0x40, 0, 0, 0};
  Bytes pair_storage = bytes_view(pair);
  view = {.dtype = DType::kComplex64, .size = {}, .stride = {}, .swapped = true};
  EXPECT_EQ(make_tensor(pair_storage, view, budget).item<std::complex<float>>(), (std::complex<float>(1, 2)));
}

TEST(TensorView, LazyConjugatesAndNegativesAreResolved) {
  const std::vector<std::complex<float>> values = {{1, 2}, {3, -4}};
  Bytes storage = bytes_view(values);
  CopyBudget budget(100);
  const ElementView conjugated{.dtype = DType::kComplex64, .size = {2}, .stride = {1}, .conjugated = true};
  EXPECT_THAT(make_tensor(storage, conjugated, budget).values<std::complex<float>>(),
              ElementsAre(std::complex<float>(1, -2), std::complex<float>(3, 4)));
  const ElementView negated{.dtype = DType::kFloat32, .offset = 1, .size = {2}, .stride = {2}, .negated = true};
  EXPECT_THAT(make_tensor(storage, negated, budget).values<float>(), ElementsAre(-2, 4));
  const ElementView wrong{.dtype = DType::kInt32, .size = {2}, .stride = {1}, .conjugated = true};
  EXPECT_THAT(error_of([&] { make_tensor(storage, wrong, budget); }), HasSubstr("only complex ones"));
}

TEST(TensorView, BoolsHoldZeroOrOne) {
  const std::array<uint8_t, 4> raw = {0, 1, 2, 255};
  Bytes storage = bytes_view(raw);
  CopyBudget budget(100);
  EXPECT_THAT(make_tensor(storage, {.dtype = DType::kBool, .size = {4}, .stride = {1}}, budget).values<bool>(),
              ElementsAre(false, true, true, true));
  EXPECT_EQ(make_tensor(storage, {.dtype = DType::kBool, .size = {2}, .stride = {1}}, budget).raw(), raw.data());
}

}  // namespace
}  // namespace sardonyx::checkpoint::testing
