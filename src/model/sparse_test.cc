#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SparseTensorData sparse(const Tensor& values, const Tensor& indices, std::vector<int64_t> dims) {
  SparseTensorData result;
  result.values = encode(values, "w");
  result.indices = encode(indices);
  result.has_values = result.has_indices = true;
  result.dims = std::move(dims);
  return result;
}

std::string error_of(const SparseTensorData& tensor) {
  try {
    decode(tensor);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SparseTensor, LinearAndPerAxisIndices) {
  const Tensor values = Tensor::of<float>({2}, {3, 5});
  EXPECT_THAT(decode(sparse(values, Tensor::of<int64_t>({2}, {1, 5}), {2, 3})).values<float>(), ElementsAre(0, 3, 0, 0, 0, 5));
  EXPECT_THAT(decode(sparse(values, Tensor::of<int64_t>({2, 2}, {0, 2, 1, 0}), {2, 3})).values<float>(), ElementsAre(0, 0, 3, 5, 0, 0));
  const Tensor none = decode(sparse(Tensor({0}), Tensor({0}, DType::kInt64), {3}));
  EXPECT_THAT(none.values<float>(), ElementsAre(0, 0, 0));
}

TEST(SparseTensor, RefusesWhatDoesNotFit) {
  const Tensor one = Tensor::of<float>({1}, {3});
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({1}, {6}), {2, 3})), HasSubstr("index 6 is outside its 6 elements"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({1}, {-1}), {2, 3})), HasSubstr("index -1"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({1, 2}, {0, 3}), {2, 3})), HasSubstr("index 3 is outside dimension 1 of size 3"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({2}, {0, 1}), {2, 3})), HasSubstr("[1] or [1, 2]"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int32_t>({1}, {0}), {2, 3})), HasSubstr("not tensor(int64)"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({1}, {0}), {-2, 3})), HasSubstr("negative"));
  EXPECT_THAT(error_of(sparse(one, Tensor::of<int64_t>({1}, {0}), {1 << 20, 1 << 20})), HasSubstr("are refused"));
  EXPECT_THAT(error_of(SparseTensorData()), HasSubstr("missing"));
}

}  // namespace
}  // namespace sardonyx::model
