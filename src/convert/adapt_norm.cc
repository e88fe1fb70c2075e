// Normalisation, dropout, softmax.
#include <fmt/format.h>

#include <algorithm>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

// One statistic for each position of the sample, broadcast over the batch.
constexpr std::string_view kBatchNormOfPositions = R"((X, scale, B, mean, var) => (Y) {
  epsilon = Like <v = @epsilon> (X)
  shifted = Sub (X, mean)  safe = Add (var, epsilon)  deviation = Sqrt (safe)
  normal = Div (shifted, deviation)  scaled = Mul (normal, scale)  Y = Add (scaled, B) })";

std::vector<int64_t> all_but(int64_t rank, int64_t axis) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < rank; ++i) {
    if (i != axis) axes.push_back(i);
  }
  return axes;
}

// The order of axes that exchanges `axis` with the last one.
std::vector<int64_t> swapped_with_last(int64_t rank, int64_t axis) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  for (int64_t i = 0; i < rank; ++i) order[static_cast<size_t>(i)] = i;
  std::swap(order[static_cast<size_t>(axis)], order.back());
  return order;
}
}  // namespace

void batch_norm_6_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("consumed_inputs", std::vector<int64_t>{0, 0, 0, 0, 0}));
  rewriter.finish();
}

// The number of outputs tells training from inference since opset 7.
void batch_norm_7_up(Rewriter& rewriter) {
  rewriter.cut_outputs(rewriter.node.output.size());
  const bool is_test = rewriter.take_int("is_test", 0) != 0;
  if (is_test && rewriter.node.output.size() > 1) rewriter.refuse("is_test is set, and it has outputs of training");
  rewriter.finish();
}

void is_test_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("is_test", rewriter.node.output.size() > 1 && rewriter.node.op_type == "BatchNormalization" ? 0 : 1));
  rewriter.finish();
}

void batch_norm_9_up(Rewriter& rewriter) {
  if (rewriter.take_int("spatial", 1) != 0) return rewriter.finish();
  rewriter.cut_outputs(rewriter.node.output.size());
  if (rewriter.node.output.size() > 1) rewriter.refuse("it trains statistics of each position (spatial = 0)");
  const float epsilon = rewriter.take_float("epsilon", 1e-5F);
  expand(rewriter, kBatchNormOfPositions, {Attribute::of("epsilon", epsilon)});
}

void batch_norm_14_up(Rewriter& rewriter) {
  rewriter.cut_outputs(rewriter.node.output.size());
  if (rewriter.has_output(3) || rewriter.has_output(4)) rewriter.refuse("its outputs saved_mean and saved_var are used");
  rewriter.cut_outputs(3);
  if (rewriter.node.output.size() > 1) rewriter.set(Attribute::of("training_mode", 1));
  rewriter.finish();
}

void batch_norm_14_down(Rewriter& rewriter) {
  const bool training = rewriter.take_int("training_mode", 0) != 0;
  if (!training) {
    if (rewriter.has_output(1) || rewriter.has_output(2)) rewriter.refuse("it has outputs of training, and training_mode is 0");
    rewriter.cut_outputs(1);
    return rewriter.finish();
  }
  constexpr std::string_view kNames[] = {"Y", "mean", "var", "saved_mean", "saved_var"};
  rewriter.node.output.resize(std::size(kNames));
  for (size_t i = 1; i < std::size(kNames); ++i) {
    if (rewriter.node.output[i].empty()) rewriter.node.output[i] = rewriter.fresh(kNames[i]);
  }
  rewriter.finish();
}

void dropout_7_up(Rewriter& rewriter) {
  rewriter.erase_attribute("is_test");
  rewriter.finish();
}

// The mask becomes a bool.
void dropout_10_up(Rewriter& rewriter) {
  if (!rewriter.has_output(1)) return rewriter.finish();
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  const std::string mask = rewriter.finish_with(1);
  rewriter.emit_as("Cast", {mask}, {rewriter.output(1)}, {Attribute::of("to", static_cast<int64_t>(dtype))});
}

void dropout_10_down(Rewriter& rewriter) {
  if (!rewriter.has_output(1)) return rewriter.finish();
  const std::string mask = rewriter.finish_with(1);
  rewriter.emit_as("Cast", {mask}, {rewriter.output(1)}, {Attribute::of("to", static_cast<int64_t>(DType::kBool))});
}

void dropout_12_up(Rewriter& rewriter) {
  if (rewriter.has_attribute("ratio")) {
    rewriter.set_input(1, rewriter.constant_value(Tensor::scalar(rewriter.take_float("ratio", 0.5F))));
  }
  rewriter.finish();
}

void dropout_12_down(Rewriter& rewriter) {
  rewriter.erase_attribute("seed");
  if (rewriter.has_input(2)) {
    const auto training = rewriter.constant(rewriter.input(2));
    if (!training || training->numel() != 1 || training->to(DType::kInt32).values<int32_t>()[0] != 0) {
      rewriter.refuse("its training_mode is not constantly false");
    }
  }
  const auto ratio = rewriter.constant(rewriter.input(1));
  if (ratio && ratio->numel() == 1) rewriter.set(Attribute::of("ratio", ratio->to(DType::kFloat32).values<float>()[0]));
  rewriter.cut_inputs(1);
  rewriter.finish();
}

// Before opset 13 the axes from `axis` on count as one.
void softmax_13_up(Rewriter& rewriter) {
  const int64_t axis = rewriter.take_int("axis", 1);
  const auto rank = rewriter.rank(rewriter.input(0));
  if (axis == -1 || (rank && axis == *rank - 1)) {
    rewriter.set(Attribute::of("axis", -1));
    return rewriter.finish();
  }
  const std::string x = rewriter.input(0);
  const std::string shape = rewriter.emit("Shape", {x});
  rewriter.set_input(0, rewriter.emit("Flatten", {x}, {Attribute::of("axis", axis)}));
  rewriter.set(Attribute::of("axis", -1));
  const std::string flat = rewriter.finish_with(0);
  rewriter.emit_as("Reshape", {flat, shape}, {rewriter.output(0)});
}

void softmax_13_down(Rewriter& rewriter) {
  const int64_t axis = rewriter.take_int("axis", -1);
  if (axis == -1) {
    rewriter.set(Attribute::of("axis", -1));
    return rewriter.finish();
  }
  const int64_t rank = rewriter.need_rank(rewriter.input(0));
  const int64_t place = rewriter.front_axis(axis, rank);
  rewriter.set(Attribute::of("axis", rank - 1));
  if (place == rank - 1) return rewriter.finish();
  const Attribute order = Attribute::of("perm", swapped_with_last(rank, place));
  rewriter.set_input(0, rewriter.emit("Transpose", {rewriter.input(0)}, {order}));
  const std::string moved = rewriter.finish_with(0);
  rewriter.emit_as("Transpose", {moved}, {rewriter.output(0)}, {order});
}

// Scale and bias: one for each group before opset 21, one for each channel since.
void group_norm_21_up(Rewriter& rewriter) {
  const int64_t groups = rewriter.get_int("num_groups", 1);
  if (groups < 1) rewriter.refuse("its num_groups is not positive");
  const std::string shape = rewriter.emit("Shape", {rewriter.input(0)}, {Attribute::of("start", 1), Attribute::of("end", 2)});
  const std::string share = rewriter.emit("Div", {shape, rewriter.ints({groups})});
  const std::string sizes = rewriter.emit("Concat", {rewriter.ints({groups}), share}, {Attribute::of("axis", 0)});
  for (const size_t i : {size_t{1}, size_t{2}}) {
    const std::string column = rewriter.emit("Reshape", {rewriter.input(i), rewriter.ints({groups, 1})});
    rewriter.set_input(i, rewriter.emit("Reshape", {rewriter.emit("Expand", {column, sizes}), rewriter.ints({-1})}));
  }
  rewriter.finish();
}

// With the channels of a group in one, instances are groups.
void group_norm_18_down(Rewriter& rewriter) {
  const int64_t groups = rewriter.take_int("num_groups", 1);
  const float epsilon = rewriter.take_float("epsilon", 1e-5F);
  expand(rewriter, R"((X, scale, bias) => (Y) {
    grouped = Ints <v = @grouped> ()  shape = Shape (X)  groups = Reshape (X, grouped)
    normal = InstanceNormalization <epsilon = @epsilon> (groups, scale, bias)
    Y = Reshape (normal, shape) })",
         {Attribute::of("grouped", std::vector<int64_t>{0, groups, -1}), Attribute::of("epsilon", epsilon)});
}

// Version 18 is deprecated, so that opsets 18 to 20 have no operator for this either.
void group_norm_21_down(Rewriter& rewriter) {
  const int64_t groups = rewriter.take_int("num_groups", 1);
  if (groups < 1 || groups > 1 << 16) rewriter.refuse("its num_groups is out of range");
  const float epsilon = rewriter.take_float("epsilon", 1e-5F);
  const auto stash = static_cast<DType>(rewriter.take_int("stash_type", 1));
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  const std::string ones = rewriter.constant_value(Tensor::full({groups}, 1, stash));
  const std::string zeros = rewriter.constant_value(Tensor::full({groups}, 0, stash));
  const std::string axes = rewriter.ints(all_but(rewriter.need_rank(rewriter.input(0)), 1));
  rewriter.node.input.resize(3);
  rewriter.node.input.insert(rewriter.node.input.end(), {ones, zeros, axes});
  expand(rewriter, R"((X, scale, bias, ones, zeros, axes) => (Y) {
    grouped = Ints <v = @grouped> ()  shape = Shape (X)  wide = Cast <to = @wide> (X)  groups = Reshape (wide, grouped)
    normal = InstanceNormalization <epsilon = @epsilon> (groups, ones, zeros)
    back = Cast <to = @narrow> (normal)  whole = Reshape (back, shape)
    scale_of = Unsqueeze (scale, axes)  bias_of = Unsqueeze (bias, axes)  scaled = Mul (whole, scale_of)  Y = Add (scaled, bias_of) })",
         {Attribute::of("grouped", std::vector<int64_t>{0, groups, -1}), Attribute::of("epsilon", epsilon),
          Attribute::of("wide", static_cast<int64_t>(stash)), Attribute::of("narrow", static_cast<int64_t>(dtype))});
}

}  // namespace sardonyx::convert
