#include <algorithm>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Transpose, AnyPermutation) {
  std::mt19937 generator(5);
  const Tensor x = random_tensor(generator, {2, 3, 4, 5});
  std::vector<int64_t> perm = {0, 1, 2, 3};
  do {
    const Tensor y = OpCase("Transpose").ints("perm", perm).run({x});
    const Shape& s = y.shape();
    size_t number = 0;
    int64_t at[4];
    for (at[0] = 0; at[0] < s[0]; ++at[0])
      for (at[1] = 0; at[1] < s[1]; ++at[1])
        for (at[2] = 0; at[2] < s[2]; ++at[2])
          for (at[3] = 0; at[3] < s[3]; ++at[3], ++number) {
            int64_t from[4];
            for (size_t i = 0; i < 4; ++i) from[perm[i]] = at[i];
            const int64_t source = ((from[0] * 3 + from[1]) * 4 + from[2]) * 5 + from[3];
            ASSERT_EQ(y.values<float>()[number], x.values<float>()[static_cast<size_t>(source)]);
          }
  } while (std::ranges::next_permutation(perm).found);
}

TEST(Transpose, ReversesByDefault) {
  const Tensor y = OpCase("Transpose").run({Tensor::of<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(y.shape(), (Shape{3, 2}));
  EXPECT_EQ(doubles(y), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(Transpose, Strings) {
  const Tensor y = OpCase("Transpose").run({Tensor::of_strings({2, 2}, {"a", "b", "c", "d"})});
  EXPECT_EQ(y.strings()[1], "c");
  EXPECT_EQ(y.strings()[2], "b");
}

TEST(Transpose, RefusesWhatIsNoPermutation) {
  const Tensor x({2, 3});
  EXPECT_EQ(OpCase("Transpose").ints("perm", {0, 0}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Transpose").ints("perm", {0}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Transpose").ints("perm", {0, 2}).error({x}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
