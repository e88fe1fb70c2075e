// NonMaxSuppression: for each image and class the boxes of greatest score that do not overlap a better one too much.
#include <algorithm>
#include <array>

#include "core/interrupt.h"
#include "ops/elements/real.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

enum Input { kBoxes, kScores, kMaxBoxes, kOverlap, kLeastScore };

struct Box {
  float top, left, bottom, right;
  float area() const noexcept { return (bottom - top) * (right - left); }
};

Box read_box(const float* values, bool is_centered) noexcept {
  if (is_centered) {
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[1] - half_height, values[0] - half_width, values[1] + half_height, values[0] + half_width};
  }
  return {std::min(values[0], values[2]), std::min(values[1], values[3]), std::max(values[0], values[2]), std::max(values[1], values[3])};
}

bool overlaps(const Box& a, const Box& b, float limit) noexcept {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top), width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (!(height > 0) || !(width > 0)) return false;
  const float both = height * width, either = a.area() + b.area() - both;
  return a.area() > 0 && b.area() > 0 && either > 0 && both / either > limit;
}

struct Suppression {
  bool is_centered = false;
  size_t boxes = 0, classes = 0;
  size_t most = 0;
  float overlap = 0;
  const float* least_score = nullptr;  // null: none

  // The chosen boxes of one class, best first.
  std::vector<size_t> choose(const float* box_values, const float* scores) const {
    std::vector<size_t> order;
    for (size_t i = 0; i < boxes; ++i) {
      if (scores[i] == scores[i] && (!least_score || scores[i] > *least_score)) order.push_back(i);
    }
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    core::InterruptGate interrupt;
    std::vector<size_t> chosen;
    std::vector<Box> kept;
    for (const size_t i : order) {
      if (chosen.size() >= most || interrupt.stopped()) break;
      const Box box = read_box(box_values + 4 * i, is_centered);
      if (std::ranges::any_of(kept, [&](const Box& better) { return overlaps(box, better, overlap); })) continue;
      chosen.push_back(i);
      kept.push_back(box);
    }
    return chosen;
  }
};

template <class T>
const T* scalar(const RunContext& r, size_t index, std::string_view name) {
  const Tensor* tensor = optional(r, index);
  if (!tensor || tensor->numel() == 0) return nullptr;
  if (tensor->numel() != 1) throw argument_error("{} has {} values; it must be a scalar", name, tensor->numel());
  return tensor->values<T>().data();
}

void run_suppression(const RunContext& r, bool is_centered) {
  const Shape &boxes = r.inputs[kBoxes].shape(), &scores = r.inputs[kScores].shape();
  const auto* most = scalar<int64_t>(r, kMaxBoxes, "max_output_boxes_per_class");
  const auto* overlap = scalar<float>(r, kOverlap, "iou_threshold");
  const Suppression suppression = {.is_centered = is_centered,
                                   .boxes = to_size(boxes[1]),
                                   .classes = to_size(scores[1]),
                                   .most = most ? to_size(std::max<int64_t>(*most, 0)) : 0,
                                   .overlap = overlap ? *overlap : 0,
                                   .least_score = scalar<float>(r, kLeastScore, "score_threshold")};
  const float *box_values = input_data<float>(r, kBoxes), *score_values = input_data<float>(r, kScores);
  std::vector<std::vector<size_t>> chosen(suppression.most == 0 || suppression.boxes == 0 ? 0 : to_size(boxes[0]) * suppression.classes);
  r.pool.for_each(chosen.size(), [&](size_t i) {
    chosen[i] = suppression.choose(box_values + i / suppression.classes * suppression.boxes * 4, score_values + i * suppression.boxes);
  });
  int64_t count = 0;
  for (const auto& list : chosen) count += to_int(list.size());
  r.outputs[0] = Tensor::empty({count, 3}, DType::kInt64);
  int64_t* to = r.outputs[0].mutable_values<int64_t>().data();
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (const size_t box : chosen[i]) {
      const std::array<int64_t, 3> row = {to_int(i / suppression.classes), to_int(i % suppression.classes), to_int(box)};
      to = std::copy(row.begin(), row.end(), to);
    }
  }
}

void check_inputs(const BindContext& b) {
  const ValueFacts &boxes = required(b, kBoxes, "boxes"), &scores = required(b, kScores, "scores");
  require_dtype(boxes, {DType::kFloat32}, "boxes");
  require_dtype(scores, {DType::kFloat32}, "scores");
  require_rank(boxes, 3, "boxes");
  require_rank(scores, 3, "scores");
  if (boxes.shape[2] != 4 || scores.shape[0] != boxes.shape[0] || scores.shape[2] != boxes.shape[1]) {
    throw argument_error("boxes has shape {}, scores {}; they must be [images, boxes, 4] and [images, classes, boxes]",
                         to_string(boxes.shape), to_string(scores.shape));
  }
  if (const ValueFacts* most = optional(b, kMaxBoxes)) require_dtype(*most, {DType::kInt64}, "max_output_boxes_per_class");
  if (const ValueFacts* overlap = optional(b, kOverlap)) require_dtype(*overlap, {DType::kFloat32}, "iou_threshold");
  if (const ValueFacts* least = optional(b, kLeastScore)) require_dtype(*least, {DType::kFloat32}, "score_threshold");
}

}  // namespace

std::unique_ptr<Prepared> prepare_non_max_suppression(const PrepareContext& context) {
  return make_prepared([is_centered = model::get_int(context.node, "center_point_box", 0) != 0](const BindContext& b) {
    check_inputs(b);
    auto bound =
        make_bound(ValueFacts{DType::kInt64, {}, nullptr}, [is_centered](const RunContext& r) { run_suppression(r, is_centered); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
