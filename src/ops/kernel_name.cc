#include "ops/kernel_name.h"

namespace sardonyx::ops {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// "QLinearConv" is "q_linear_conv", "LSTM" is "lstm", "ReduceL2" is "reduce_l2".
std::string snake_case(std::string_view name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    if (!is_upper(name[i])) {
      result += name[i];
      continue;
    }
    const bool begins_word = i > 0 && (!is_upper(name[i - 1]) || (i + 1 < name.size() && is_lower(name[i + 1])));
    if (begins_word && result.back() != '_') result += '_';
    result += static_cast<char>(name[i] - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::string kernel_name(const Bound& bound, std::string_view op_type) { return *bound.kernel != '\0' ? bound.kernel : snake_case(op_type); }

}  // namespace sardonyx::ops
