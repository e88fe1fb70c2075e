// Operators on strings.
#include <fmt/format.h>

#include <algorithm>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

void infer_string_concat(NodeContext& context) {
  if (std::optional<Dims> dims = broadcast_inputs(context, 0, 2)) context.set_shape(0, std::move(*dims));
}

void infer_regex_full_match(NodeContext& context) {
  context.set_dtype(0, DType::kBool);
  context.copy_shape(0, 0);
}

// StringSplit: the parts of each string, padded to the greatest number of parts, and their number.
void infer_string_split(NodeContext& context) {
  context.set_dtype(0, DType::kString);
  context.set_dtype(1, DType::kInt64);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  context.set_shape(1, *dims);
  Dims parts = *dims;
  parts.push_back(Dim());
  context.set_shape(0, std::move(parts));
}

// StringNormalizer: [C] or [1, C]; stop words are dropped.
void infer_string_normalizer(NodeContext& context) {
  context.set_dtype(0, DType::kString);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  if (dims->empty() || dims->size() > 2 || (dims->size() == 2 && (*dims)[0].is_known() && !(*dims)[0].is(1))) {
    context.fail(fmt::format("the input must have shape [C] or [1, C], its shape is {}", context.symbols().show(*dims)));
  }
  context.set_shape(0, dims->size() == 1 ? Dims{Dim()} : Dims{1, Dim()});
}

// TfIdfVectorizer: one number per place that the n-grams are mapped to, for each row.
void infer_tf_idf_vectorizer(NodeContext& context) {
  context.set_dtype(0, DType::kFloat32);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const std::vector<int64_t> places = model::get_ints(context.node(), "ngram_indexes");
  if (places.empty() || *std::min_element(places.begin(), places.end()) < 0) {
    context.fail("'ngram_indexes' must have at least one index, and none below 0");
  }
  if (dims->empty() || dims->size() > 2) {
    context.fail(fmt::format("the input must have rank 1 or 2, its shape is {}", context.symbols().show(*dims)));
  }
  Dims result(dims->begin(), dims->end() - 1);
  result.push_back(add(*std::max_element(places.begin(), places.end()), 1));
  context.set_shape(0, std::move(result));
}

}  // namespace sardonyx::infer
