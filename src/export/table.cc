#include <algorithm>
#include <iterator>

#include "export/lowering.h"

namespace sardonyx::exporter {

namespace {
struct Row {
  std::string_view kind;
  Lower lower;
};
constexpr Row kRows[] = {
    {"aten::adaptive_avg_pool2d", lower_adaptive_avg_pool2d},
    {"aten::add", lower_add},
    {"aten::avg_pool2d", lower_avg_pool2d},
    {"aten::batch_norm", lower_batch_norm},
    {"aten::cat", lower_cat},
    {"aten::clamp", lower_clamp},
    {"aten::conv2d", lower_conv2d},
    {"aten::div", lower_div},
    {"aten::dropout", lower_dropout},
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
static_assert(std::is_sorted(std::begin(kRows), std::end(kRows), [](const Row& a, const Row& b) { return a.kind < b.kind; }));
}  // namespace

Lower find_lowering(std::string_view kind) noexcept {
  const Row* row = std::lower_bound(std::begin(kRows), std::end(kRows), kind,
                                    [](const Row& candidate, std::string_view wanted) { return candidate.kind < wanted; });
  return row == std::end(kRows) || row->kind != kind ? nullptr : row->lower;
}

}  // namespace sardonyx::exporter
