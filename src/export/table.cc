#include <fmt/format.h>

#include <algorithm>

#include "export/lowering.h"

namespace sardonyx::exporter {

namespace {
struct Row {
  std::string_view kind;
  Lower lower;
};
// Sorted by kind.
constexpr Row kRows[] = {
    {"aten::adaptive_avg_pool2d", lower_adaptive_avg_pool2d},
    {"aten::add", lower_add},
    {"aten::avg_pool2d", lower_avg_pool2d},
    {"aten::batch_norm", lower_batch_norm},
    {"aten::cat", lower_cat},
    {"aten::clamp", lower_clamp},
    {"aten::conv2d", lower_conv2d},
    {"aten::div", lower_div},
    {"aten::flatten", lower_flatten},
    {"aten::leaky_relu", lower_leaky_relu},
    {"aten::linear", lower_linear},
    {"aten::matmul", lower_matmul},
    {"aten::max_pool2d", lower_max_pool2d},
    {"aten::mul", lower_mul},
    {"aten::permute", lower_permute},
    {"aten::pixel_shuffle", lower_pixel_shuffle},
    {"aten::pixel_unshuffle", lower_pixel_unshuffle},
    {"aten::relu", lower_relu},
    {"aten::reshape", lower_reshape},
    {"aten::sigmoid", lower_sigmoid},
    {"aten::softmax", lower_softmax},
    {"aten::squeeze", lower_squeeze},
    {"aten::sub", lower_sub},
    {"aten::tanh", lower_tanh},
    {"aten::transpose", lower_transpose},
    {"aten::unsqueeze", lower_unsqueeze},
};
}  // namespace

Lower find_lowering(const nn::TraceOp& op) {
  const Row* row = std::lower_bound(std::begin(kRows), std::end(kRows), std::string_view(op.kind),
                                    [](const Row& candidate, std::string_view kind) { return candidate.kind < kind; });
  if (row == std::end(kRows) || row->kind != op.kind) {
    throw Error(ErrorCode::kUnsupported, fmt::format("cannot export {}{}: it has no ONNX lowering", op.kind,
                                                     op.scope.empty() ? "" : fmt::format(" of module '{}'", op.scope)));
  }
  return row->lower;
}

}  // namespace sardonyx::exporter
