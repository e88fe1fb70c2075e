#include <gmock/gmock.h>

#include "ops/op_case.h"
#include "ops/text/string_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor strings(Shape shape, std::vector<std::string> values) { return Tensor::of_strings(std::move(shape), std::move(values)); }

TEST(Text, ChangesCase) {
  EXPECT_EQ(change_case("Grün \xC3\x89 \xCE\xA9 x\xFF", CaseChange::kLower), "gr\xC3\xBCn \xC3\xA9 \xCF\x89 x\xFF");
  EXPECT_EQ(change_case("stra\xC3\x9F"
                        "e \xC3\xA9 \xF0\x90\x90\xA8",
                        CaseChange::kUpper),
            "STRA\xC3\x9F"
            "E \xC3\x89 \xF0\x90\x90\x80");
  EXPECT_EQ(change_case("aB", CaseChange::kNone), "aB");
}

TEST(Text, Concat) {
  const Tensor y = OpCase("StringConcat", 20).run({strings({2, 1}, {"a", "b"}), strings({3}, {"x", "", "\xC3\xA9"})});
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  EXPECT_THAT(y.strings(), ElementsAre("ax", "a", "a\xC3\xA9", "bx", "b", "b\xC3\xA9"));
  EXPECT_EQ(OpCase("StringConcat", 20).error({strings({1}, {"a"}), Tensor({1})}).first, ErrorCode::kInvalidArgument);
}

TEST(Text, Normalizer) {
  const Tensor x = strings({1, 4}, {"Monday", "tuesday", "MONDAY", "Friday"});
  OpCase loose("StringNormalizer", 10), strict("StringNormalizer", 10), all("StringNormalizer", 10);
  loose.attribute("stopwords", std::vector<std::string>{"monday"}).attribute("case_change_action", "UPPER");
  EXPECT_THAT(loose.run({x}).strings(), ElementsAre("TUESDAY", "FRIDAY"));
  strict.attribute("stopwords", std::vector<std::string>{"Monday"}).attribute("is_case_sensitive", 1);
  const Tensor kept = strict.run({x});
  EXPECT_EQ(kept.shape(), (Shape{1, 3}));
  EXPECT_THAT(kept.strings(), ElementsAre("tuesday", "MONDAY", "Friday"));
  all.attribute("stopwords", std::vector<std::string>{"a"});
  EXPECT_THAT(all.run({strings({1}, {"A"})}).strings(), ElementsAre(""));
  EXPECT_THAT(all.error({strings({2, 1}, {"a", "b"})}).second, HasSubstr("[words] or [1, words]"));
}

TEST(Text, Split) {
  const auto run = [](OpCase op, const std::string& text) {
    const std::vector<Tensor> results = op.outputs({"y", "n"}).run_all({strings({1}, {text})});
    std::vector<std::string> parts(results[0].strings().begin(), results[0].strings().end());
    EXPECT_THAT(doubles(results[1]), ElementsAre(static_cast<double>(parts.size())));
    return parts;
  };
  const auto by = [](const char* delimiter, int most) {
    return OpCase("StringSplit", 20).attribute("delimiter", delimiter).attribute("maxsplit", most);
  };
  EXPECT_THAT(run(OpCase("StringSplit", 20), " a  b\tc "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(run(by("", 1), " a  b c "), ElementsAre("a", "b c"));
  EXPECT_THAT(run(by("--", 9), "--a----b"), ElementsAre("", "a", "", "b"));
  EXPECT_THAT(run(by(",", 1), "a,b,c"), ElementsAre("a", "b,c"));
  EXPECT_THAT(run(by(",", 0), "a,b"), ElementsAre("a,b"));
  const std::vector<Tensor> padded = OpCase("StringSplit", 20).outputs({"y", "n"}).run_all({strings({2}, {"a b", ""})});
  EXPECT_EQ(padded[0].shape(), (Shape{2, 2}));
  EXPECT_THAT(padded[0].strings(), ElementsAre("a", "b", "", ""));
  EXPECT_THAT(doubles(padded[1]), ElementsAre(2, 0));
  EXPECT_EQ(OpCase("StringSplit", 20).run({strings({0, 3}, {})}).shape(), (Shape{0, 3, 0}));
}

OpCase vectorizer(const char* mode, int least, int most, int skips) {
  OpCase node("TfIdfVectorizer", 9);
  node.attribute("mode", mode).attribute("min_gram_length", least).attribute("max_gram_length", most).attribute("max_skip_count", skips);
  return node.ints("ngram_counts", {0, 2}).ints("ngram_indexes", {0, 1, 3, 2});
}

TEST(RegexFullMatch, MatchesFromEndToEnd) {
  const Tensor x = strings({2, 2}, {"www.google.com", "www.google.com/", "", "WWW.a.com"});
  const Tensor y = OpCase("RegexFullMatch", 20).attribute("pattern", std::string(R"(www\.[\w.-]+\.com)")).run({x});
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_THAT(y.values<bool>(), ElementsAre(true, false, false, false));
  EXPECT_TRUE(OpCase("RegexFullMatch", 20).run({strings({1}, {""})}).values<bool>()[0]);
}

TEST(RegexFullMatch, RefusesABadPattern) {
  const auto [code, text] = OpCase("RegexFullMatch", 20).attribute("pattern", std::string("a(b")).error({strings({1}, {"a"})});
  EXPECT_EQ(code, ErrorCode::kInvalidModel);
  EXPECT_THAT(text, testing::AllOf(HasSubstr("node 'n'"), HasSubstr("'a(b'"), HasSubstr("missing )")));
}

TEST(TfIdf, CountsNGrams) {
  const Tensor x = int64s({1, 2, 1, 3, 2});
  const std::vector<int64_t> pool = {1, 2, 1, 2, 1, 3};  // 1; 2; 1 2; 1 3
  EXPECT_THAT(doubles(vectorizer("TF", 1, 2, 0).ints("pool_int64s", pool).run({x})), ElementsAre(2, 2, 1, 1));
  EXPECT_THAT(doubles(vectorizer("TF", 2, 2, 1).ints("pool_int64s", pool).run({x.to(DType::kInt32)})), ElementsAre(0, 0, 1, 2));
  const std::vector<float> weights = {2, 3, 4, 5};
  EXPECT_THAT(doubles(vectorizer("TFIDF", 1, 2, 0).ints("pool_int64s", pool).attribute("weights", weights).run({x})),
              ElementsAre(4, 6, 5, 4));
  EXPECT_THAT(doubles(vectorizer("IDF", 1, 2, 0).ints("pool_int64s", pool).attribute("weights", weights).run({x})),
              ElementsAre(2, 3, 5, 4));
  const Tensor rows = vectorizer("TF", 1, 1, 0)
                          .attribute("pool_strings", std::vector<std::string>{"a", "b", "a", "b", "a", "c"})
                          .run({strings({2, 2}, {"a", "c", "b", "b"})});
  expect_close(rows, {2, 4}, {1, 0, 0, 0, 0, 2, 0, 0});
  EXPECT_THAT(vectorizer("TF", 1, 1, 0).error({x}).second, HasSubstr("pool_strings and pool_int64s"));
  EXPECT_THAT(vectorizer("TF", 1, 1, 0).ints("pool_int64s", {1, 2}).error({x}).second, HasSubstr("ngram_indexes 4 values"));
  EXPECT_EQ(vectorizer("TF", 1, 1, 0).ints("pool_int64s", pool).error({Tensor({2})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
