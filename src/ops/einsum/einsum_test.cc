#include "ops/einsum/einsum.h"

#include <gmock/gmock.h>

#include <map>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

// The definition for letters alone: a sum over all values of all letters.
std::vector<double> oracle(const std::vector<std::string>& terms, const std::string& result, const std::vector<Tensor>& inputs,
                           Shape& shape) {
  std::map<char, size_t> sizes;
  for (size_t i = 0; i < terms.size(); ++i) {
    for (size_t d = 0; d < terms[i].size(); ++d) sizes[terms[i][d]] = static_cast<size_t>(inputs[i].shape()[d]);
  }
  shape.clear();
  size_t count = 1, all = 1;
  for (const char c : result) shape.push_back(static_cast<int64_t>(sizes[c])), count *= sizes[c];
  for (const auto& [letter, size] : sizes) all *= size;
  std::vector<std::vector<double>> values;
  for (const Tensor& input : inputs) values.push_back(doubles(input));
  std::vector<double> sums(count);
  for (size_t number = 0; number < all; ++number) {
    std::map<char, size_t> at;
    size_t rest = number;
    for (const auto& [letter, size] : sizes) at[letter] = rest % size, rest /= size;
    const auto place = [&](const std::string& term) {
      size_t offset = 0;
      for (const char c : term) offset = offset * sizes[c] + at[c];
      return offset;
    };
    double term = 1;
    for (size_t i = 0; i < terms.size(); ++i) term *= values[i][place(terms[i])];
    sums[place(result)] += term;
  }
  return sums;
}

TEST(Einsum, AgreesWithTheDefinition) {
  const std::map<char, int64_t> sizes = {{'a', 2}, {'b', 3}, {'c', 4}, {'d', 5}, {'i', 3}, {'j', 3}};
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"ab"}, "ba"},
      {{"ab"}, ""},
      {{"ii"}, "i"},
      {{"ii"}, ""},
      {{"aib"}, "b"},
      {{"ab", "bc"}, "ac"},
      {{"abc", "acd"}, "abd"},
      {{"abc", "dc"}, "bda"},
      {{"a", "b"}, "ba"},
      {{"ab", "ab"}, ""},
      {{"ab", "ab"}, "ab"},
      {{"abd", "c"}, "c"},
      {{"ab", "bc", "cd"}, "da"},
      {{"iji", "jd"}, "id"},
      {{"ab", "ac", "ad"}, "abcd"},
      {{"", "ab"}, "b"},
  };
  std::mt19937 generator(6);
  for (const auto& [terms, result] : cases) {
    std::string equation;
    std::vector<Tensor> inputs;
    for (const std::string& term : terms) {
      Shape shape;
      for (const char c : term) shape.push_back(sizes.at(c));
      Tensor x = random_tensor(generator, shape, -4, 5);
      for (float& value : x.mutable_values<float>()) value = std::floor(value);
      inputs.push_back(x);
      equation += (equation.empty() && &term == &terms[0] ? "" : ",") + term;
    }
    equation += " -> " + result;
    SCOPED_TRACE(equation);
    Shape shape;
    const std::vector<double> expected = oracle(terms, result, inputs, shape);
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt16, DType::kInt32, DType::kInt64}) {
      std::vector<Tensor> typed;
      for (const Tensor& input : inputs) typed.push_back(input.to(dtype));
      OpCase node("Einsum");
      expect_close(node.attribute("equation", equation).run(typed), shape, expected, dtype == DType::kFloat16 ? 1e-3 : 1e-5);
    }
  }
}

TEST(Einsum, EllipsesBroadcastAndImpliedResults) {
  const Tensor x = floats({2, 1, 2}, {1, 2, 3, 4}), y = floats({3, 2}, {1, 0, 0, 1, 1, 1});
  OpCase dot("Einsum"), diagonal("Einsum"), transpose("Einsum"), product("Einsum");
  expect_close(dot.attribute("equation", "...i,...i->...").run({x, y}), {2, 3}, {1, 2, 3, 3, 4, 7});
  expect_close(diagonal.attribute("equation", "...ii->...i").run({floats({1, 2, 2}, {1, 2, 3, 4})}), {1, 2}, {1, 4});
  expect_close(transpose.attribute("equation", "ba").run({floats({2, 2}, {1, 2, 3, 4})}), {2, 2}, {1, 3, 2, 4});
  expect_close(product.attribute("equation", "ij, jk").run({floats({1, 2}, {1, 2}), floats({2, 1}, {3, 4})}), {1, 1}, {11});
}

TEST(Einsum, EmptyDimensions) {
  OpCase node("Einsum");
  expect_close(node.attribute("equation", "ab,bc->ac").run({Tensor({2, 0}), Tensor({0, 1})}), {2, 1}, {0, 0});
  OpCase sum("Einsum");
  expect_close(sum.attribute("equation", "ab->a").run({Tensor({1, 0})}), {1}, {0});
}

TEST(Einsum, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  for (const char* equation : {"a1->a", "ab->aa", "a....b", "a...b...", "a-b"}) {
    EXPECT_EQ(OpCase("Einsum").attribute("equation", equation).error({x}).first, ErrorCode::kInvalidModel) << equation;
  }
  for (const char* equation : {"abc->a", "a->a", "aa->a", "ab->c", "ab,ab->a", ""}) {
    EXPECT_EQ(OpCase("Einsum").attribute("equation", equation).error({x}).first, ErrorCode::kInvalidArgument) << equation;
  }
  EXPECT_EQ(OpCase("Einsum").attribute("equation", "ab,bc->ac").error({x, x.to(DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
