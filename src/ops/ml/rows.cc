#include "ops/ml/rows.h"

namespace sardonyx::ops {

Rows feature_rows(const ValueFacts& x) {
  require_dtype(x, kFeatureTypes, "X");
  if (x.shape.empty() || x.shape.size() > 2)
    throw argument_error("X has shape {}; it must be [features] or [rows, features]", to_string(x.shape));
  return {x.shape.size() == 2 ? to_size(x.shape[0]) : 1, to_size(x.shape.back())};
}

void require_features(const Rows& rows, size_t expected, std::string_view source) {
  if (rows.features != expected) {
    throw argument_error("X has {} features in a row; {} features follow from attribute {}", rows.features, expected, source);
  }
}

}  // namespace sardonyx::ops
