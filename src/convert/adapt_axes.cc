// Attributes that became inputs: axes, sizes, limits. Up they become constants; down the inputs must be constant.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

constexpr int64_t kFirstConstantOfInts = 12;
constexpr float kInfinity = std::numeric_limits<float>::infinity(), kLargest = std::numeric_limits<float>::max();

// Attribute `name` as input `i`. In a function it may be one of the function's own.
void ints_to_input(Rewriter& rewriter, std::string_view name, size_t i) {
  const Attribute* raw = rewriter.node.find_attribute(name);
  if (raw == nullptr) return;
  if (!raw->ref_attr_name.empty() && rewriter.to() >= kFirstConstantOfInts) {
    Attribute value = *raw;
    value.name = "value_ints";
    rewriter.erase_attribute(name);
    return rewriter.set_input(i, rewriter.emit("Constant", {}, {std::move(value)}));
  }
  const auto values = rewriter.take_ints(name);
  rewriter.set_input(i, rewriter.ints(*values));
}

void input_to_ints(Rewriter& rewriter, std::string_view name, size_t i) {
  if (!rewriter.has_input(i)) return;
  rewriter.set(Attribute::of(std::string(name), rewriter.need_ints(i)));
  rewriter.set_input(i, "");
}

bool is_empty_list(const Rewriter& rewriter, size_t i) {
  if (!rewriter.has_input(i)) return true;
  const auto value = rewriter.constant(rewriter.input(i));
  return value && value->numel() == 0;
}

// The number as a float, where it is a single one and a float holds it.
std::optional<float> float_of(const Tensor& value) {
  if (value.numel() != 1 || value.dtype() == DType::kString) return std::nullopt;
  const double wide = value.to(DType::kFloat64).values<double>()[0];
  const auto narrow = static_cast<float>(std::clamp<double>(wide, -std::numeric_limits<float>::max(), std::numeric_limits<float>::max()));
  if (std::isnan(wide) || std::isinf(wide)) return value.to(DType::kFloat32).values<float>()[0];
  return static_cast<double>(narrow) == wide ? std::optional(narrow) : std::nullopt;
}

// The limit of a Clip as an attribute; `unlimited` where the input is left out.
std::optional<float> clip_limit(Rewriter& rewriter, size_t i, float unlimited) {
  if (!rewriter.has_input(i)) return unlimited;
  const auto value = rewriter.constant(rewriter.input(i));
  return value ? float_of(*value) : std::nullopt;
}

std::string pads_of_all_axes(Rewriter& rewriter, int64_t rank, const std::vector<int64_t>& axes) {
  std::vector<int64_t> places;
  for (const int64_t axis : axes) places.push_back(rewriter.front_axis(axis, rank));
  if (const auto pads = rewriter.constant(rewriter.input(1))) {
    const std::vector<int64_t> given = rewriter.need_ints(1);
    if (given.size() != 2 * places.size()) rewriter.refuse("pads and axes do not fit each other");
    std::vector<int64_t> all(static_cast<size_t>(2 * rank));
    for (size_t i = 0; i < given.size(); ++i) {
      all[static_cast<size_t>(places[i % places.size()] + (i < places.size() ? 0 : rank))] = given[i];
    }
    return rewriter.ints(all);
  }
  const size_t count = places.size();
  for (size_t i = 0; i < count; ++i) places.push_back(places[i] + rank);
  const std::string zeros = rewriter.ints(std::vector<int64_t>(static_cast<size_t>(2 * rank)));
  return rewriter.emit("ScatterElements", {zeros, rewriter.ints(places), rewriter.input(1)});
}
}  // namespace

void axes_to_input(Rewriter& rewriter) {
  ints_to_input(rewriter, "axes", 1);
  rewriter.finish();
}

void axes_to_attribute(Rewriter& rewriter) {
  input_to_ints(rewriter, "axes", 1);
  rewriter.finish();
}

// What the reductions of ONNX 18 make of each element where they reduce nothing.
void reduce_nothing(Rewriter& rewriter) {
  const std::string& op = rewriter.node.op_type;
  const std::string x = rewriter.input(0);
  const std::vector<std::string> y = {rewriter.output(0)};
  if (op == "ReduceSumSquare") {
    rewriter.emit_as("Mul", {x, x}, y);
  } else if (op == "ReduceL1" || op == "ReduceL2") {
    rewriter.emit_as("Abs", {x}, y);
  } else {
    rewriter.emit_as(op == "ReduceLogSum" ? "Log" : "Identity", {x}, y);
  }
  rewriter.drop();
}

void reduce_axes_down(Rewriter& rewriter) {
  const bool noop = rewriter.take_int("noop_with_empty_axes", 0) != 0;
  if (is_empty_list(rewriter, 1)) {
    if (noop) return reduce_nothing(rewriter);
    rewriter.cut_inputs(1);
    return rewriter.finish();
  }
  axes_to_attribute(rewriter);
}

void reshape_5_up(Rewriter& rewriter) {
  rewriter.erase_attribute("consumed_inputs");
  ints_to_input(rewriter, "shape", 1);
  rewriter.finish();
}

void reshape_5_down(Rewriter& rewriter) {
  input_to_ints(rewriter, "shape", 1);
  rewriter.finish();
}

void reshape_14_down(Rewriter& rewriter) {
  if (rewriter.take_int("allowzero", 0) != 0) {
    const auto shape = rewriter.constant(rewriter.input(1));
    const auto values = shape ? rewriter.need_ints(1) : std::vector<int64_t>{0};
    if (std::find(values.begin(), values.end(), 0) != values.end()) rewriter.refuse("allowzero is set, and its shape may hold 0");
  }
  rewriter.finish();
}

void slice_10_up(Rewriter& rewriter) {
  ints_to_input(rewriter, "starts", 1);
  ints_to_input(rewriter, "ends", 2);
  ints_to_input(rewriter, "axes", 3);
  rewriter.finish();
}

void slice_10_down(Rewriter& rewriter) {
  if (rewriter.has_input(4)) {
    const std::vector<int64_t> steps = rewriter.need_ints(4);
    if (std::any_of(steps.begin(), steps.end(), [](int64_t step) { return step != 1; })) rewriter.refuse("its steps are not all 1");
    rewriter.cut_inputs(4);
  }
  input_to_ints(rewriter, "starts", 1);
  input_to_ints(rewriter, "ends", 2);
  input_to_ints(rewriter, "axes", 3);
  rewriter.finish();
}

void slice_11_down(Rewriter& rewriter) {
  if (rewriter.has_input(3)) {
    std::vector<int64_t> axes = rewriter.need_ints(3);
    if (std::any_of(axes.begin(), axes.end(), [](int64_t axis) { return axis < 0; })) {
      const int64_t rank = rewriter.need_rank(rewriter.input(0));
      for (int64_t& axis : axes) axis = rewriter.front_axis(axis, rank);
      const bool narrow = rewriter.dtype(rewriter.input(1)) == DType::kInt32;
      const Tensor values = Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, axes);
      rewriter.set_input(3, rewriter.constant_value(narrow ? values.to(DType::kInt32) : values));
    }
  }
  rewriter.finish();
}

void split_2_up(Rewriter& rewriter) {
  input_to_ints(rewriter, "split", 1);
  rewriter.finish();
}

void split_2_down(Rewriter& rewriter) {
  if (!rewriter.has_attribute("axis")) rewriter.set(Attribute::of("axis", 0));
  rewriter.finish();
}

void split_to_input(Rewriter& rewriter) {
  ints_to_input(rewriter, "split", 1);
  rewriter.finish();
}

void split_to_attribute(Rewriter& rewriter) {
  input_to_ints(rewriter, "split", 1);
  rewriter.finish();
}

void split_18_up(Rewriter& rewriter) {
  if (!rewriter.has_input(1)) rewriter.set(Attribute::of("num_outputs", static_cast<int64_t>(rewriter.node.output.size())));
  rewriter.finish();
}

// Version 18 makes the last part smaller where the size does not divide; before, that must be written out.
void split_18_down(Rewriter& rewriter) {
  const auto parts = static_cast<int64_t>(rewriter.node.output.size());
  if (rewriter.take_int("num_outputs", parts) != parts) rewriter.refuse("num_outputs is not the number of its outputs");
  if (rewriter.has_input(1) || parts < 2) return rewriter.finish();
  const int64_t axis = rewriter.get_int("axis", 0);
  if (const auto size = rewriter.dim(rewriter.input(0), axis)) {
    if (*size % parts == 0) return rewriter.finish();
    const int64_t chunk = *size / parts + 1;
    std::vector<int64_t> sizes(static_cast<size_t>(parts), chunk);
    sizes.back() = *size - chunk * (parts - 1);
    if (sizes.back() < 0) rewriter.refuse("the axis is too short for its outputs");
    rewriter.set_input(1, rewriter.ints(sizes));
    return rewriter.finish();
  }
  const std::string size = rewriter.emit("Gather", {rewriter.emit("Shape", {rewriter.input(0)}), rewriter.ints({axis})});
  const std::string chunk = rewriter.emit("Div", {rewriter.emit("Add", {size, rewriter.ints({parts - 1})}), rewriter.ints({parts})});
  const std::string last = rewriter.emit("Sub", {size, rewriter.emit("Mul", {chunk, rewriter.ints({parts - 1})})});
  Inputs sizes(static_cast<size_t>(parts - 1), chunk);
  sizes.push_back(last);
  rewriter.set_input(1, rewriter.emit("Concat", std::move(sizes), {Attribute::of("axis", 0)}));
  rewriter.finish();
}

void top_k_10_up(Rewriter& rewriter) {
  rewriter.set_input(1, rewriter.ints({rewriter.take_int("k", 1)}));
  rewriter.finish();
}

void top_k_10_down(Rewriter& rewriter) {
  const std::vector<int64_t> k = rewriter.need_ints(1);
  if (k.size() != 1) rewriter.refuse("K is not a single number");
  rewriter.cut_inputs(1);
  rewriter.set(Attribute::of("k", k[0]));
  front_axis_down(rewriter);
}

// The least are the greatest of the negated.
void top_k_11_down(Rewriter& rewriter) {
  rewriter.erase_attribute("sorted");
  if (rewriter.take_int("largest", 1) != 0) return rewriter.finish();
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  if (!is_floating_point(dtype)) rewriter.refuse("it takes the least of integers");
  rewriter.set_input(0, rewriter.emit("Neg", {rewriter.input(0)}));
  if (!rewriter.has_output(0)) return rewriter.finish();
  const std::string values = rewriter.finish_with(0);
  rewriter.emit_as("Neg", {values}, {rewriter.output(0)});
}

// Only version 6 has the limits of float32 as defaults: they cut infinities, and doubles.
void clip_6_up(Rewriter& rewriter) {
  rewriter.erase_attribute("consumed_inputs");
  if (!rewriter.has_attribute("min")) rewriter.set(Attribute::of("min", -kInfinity));
  if (!rewriter.has_attribute("max")) rewriter.set(Attribute::of("max", kInfinity));
  rewriter.finish();
}

void clip_6_down(Rewriter& rewriter) {
  if (!rewriter.has_attribute("min")) rewriter.set(Attribute::of("min", -kLargest));
  if (!rewriter.has_attribute("max")) rewriter.set(Attribute::of("max", kLargest));
  rewriter.finish();
}

void clip_11_up(Rewriter& rewriter) {
  const float low = rewriter.take_float("min", -kLargest), high = rewriter.take_float("max", kLargest);
  if (low != -kInfinity) rewriter.set_input(1, rewriter.scalar_like(low, rewriter.input(0)));
  if (high != kInfinity) rewriter.set_input(2, rewriter.scalar_like(high, rewriter.input(0)));
  rewriter.finish();
}

void clip_11_down(Rewriter& rewriter) {
  const auto low = clip_limit(rewriter, 1, -kInfinity), high = clip_limit(rewriter, 2, kInfinity);
  if (!low || !high) {
    const bool both = rewriter.has_input(1) && rewriter.has_input(2);
    if (both) rewriter.set_input(0, rewriter.emit("Max", {rewriter.input(0), rewriter.input(1)}));
    const bool last_is_max = !rewriter.has_input(2);
    rewriter.emit_as(last_is_max ? "Max" : "Min", {rewriter.input(0), rewriter.input(last_is_max ? 1 : 2)}, {rewriter.output(0)});
    return rewriter.drop();
  }
  rewriter.set(Attribute::of("min", *low));
  rewriter.set(Attribute::of("max", *high));
  rewriter.cut_inputs(1);
  rewriter.finish();
}

// Integers are compared and chosen, which older operators can.
void clip_12_down(Rewriter& rewriter) {
  const DType dtype = rewriter.dtype(rewriter.input(0));
  if (!is_integral(dtype)) return rewriter.finish();
  std::string value = rewriter.input(0);
  if (rewriter.has_input(1)) {
    const std::string low = rewriter.input(1);
    value = rewriter.emit("Where", {rewriter.emit("Less", {value, low}), low, value});
  }
  if (rewriter.has_input(2)) {
    const std::string high = rewriter.input(2);
    value = rewriter.emit("Where", {rewriter.emit("Less", {high, value}), high, value});
  }
  rewriter.emit_as("Identity", {value}, {rewriter.output(0)});
  rewriter.drop();
}

void pad_11_up(Rewriter& rewriter) {
  ints_to_input(rewriter, "pads", 1);
  const float value = rewriter.take_float("value", 0);
  if (value != 0) rewriter.set_input(2, rewriter.scalar_like(value, rewriter.input(0)));
  rewriter.finish();
}

void pad_11_down(Rewriter& rewriter) {
  if (rewriter.has_input(2)) {
    const auto value = float_of(rewriter.need_constant(2));
    if (!value) rewriter.refuse("its constant_value is not a single float");
    rewriter.set(Attribute::of("value", *value));
    rewriter.set_input(2, "");
  }
  input_to_ints(rewriter, "pads", 1);
  rewriter.finish();
}

void pad_18_down(Rewriter& rewriter) {
  if (rewriter.has_input(3)) {
    const std::vector<int64_t> axes = rewriter.need_ints(3);
    const int64_t rank = rewriter.need_rank(rewriter.input(0));
    rewriter.set_input(1, pads_of_all_axes(rewriter, rank, axes));
  }
  rewriter.cut_inputs(3);
  rewriter.finish();
}

void tile_6_up(Rewriter& rewriter) {
  const int64_t rank = rewriter.need_rank(rewriter.input(0));
  const Tensor tiles = rewriter.need_constant(1).to(DType::kInt64), axis = rewriter.need_constant(2).to(DType::kInt64);
  if (tiles.numel() != 1 || axis.numel() != 1) rewriter.refuse("tiles or axis is not a single number");
  std::vector<int64_t> repeats(static_cast<size_t>(rank), 1);
  repeats[static_cast<size_t>(rewriter.front_axis(axis.values<int64_t>()[0], rank))] = tiles.values<int64_t>()[0];
  rewriter.cut_inputs(1);
  rewriter.set_input(1, rewriter.ints(repeats));
  rewriter.finish();
}

void tile_6_down(Rewriter& rewriter) {
  const std::vector<int64_t> repeats = rewriter.need_ints(1);
  std::string value = rewriter.input(0);
  const auto scalar = [&](size_t v) {
    return rewriter.constant_value(Tensor::full({1}, static_cast<double>(v), rewriter.need_dtype(rewriter.input(0))));
  };
  for (size_t axis = 0; axis < repeats.size(); ++axis) {
    if (repeats[axis] == 1) continue;
    if (repeats[axis] < 0) rewriter.refuse("it repeats a negative number of times");
    value = rewriter.emit("Tile", {value, scalar(static_cast<size_t>(repeats[axis])), scalar(axis)});
  }
  rewriter.emit_as("Identity", {value}, {rewriter.output(0)});
  rewriter.drop();
}

void dft_20_up(Rewriter& rewriter) {
  rewriter.set_input(2, rewriter.constant_value(Tensor::scalar(rewriter.take_int("axis", 1))));
  rewriter.finish();
}

void dft_20_down(Rewriter& rewriter) {
  int64_t axis = -2;
  if (rewriter.has_input(2)) {
    const std::vector<int64_t> given = rewriter.need_ints(2);
    if (given.size() != 1) rewriter.refuse("its axis is not a single number");
    axis = given[0];
  }
  if (axis < 0) axis = rewriter.front_axis(axis, rewriter.need_rank(rewriter.input(0)));
  rewriter.cut_inputs(2);
  rewriter.set(Attribute::of("axis", axis));
  rewriter.finish();
}

void shape_15_down(Rewriter& rewriter) {
  const bool whole = rewriter.get_int("start", 0) == 0 && !rewriter.has_attribute("end");
  const int64_t start = rewriter.take_int("start", 0), end = rewriter.take_int("end", std::numeric_limits<int64_t>::max());
  if (whole) return rewriter.finish();
  const std::string all = rewriter.finish_with(0);
  rewriter.emit_as("Slice", {all, rewriter.ints({start}), rewriter.ints({end}), rewriter.ints({0})}, {rewriter.output(0)});
}

}  // namespace sardonyx::convert
