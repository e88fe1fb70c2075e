// Steps that change attributes only.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "convert/adapters.h"
#include "schema/schema.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

bool is_default(const Attribute& value, std::string_view text) {
  switch (value.type) {
    case Attribute::Type::kInt:
      return text == std::to_string(value.i);
    case Attribute::Type::kString:
      return text.size() >= 2 && text.substr(1, text.size() - 2) == value.s.text();  // strings stand in quotes
    case Attribute::Type::kFloat: {
      double wanted = 0;
      const auto result = std::from_chars(text.data(), text.data() + text.size(), wanted);
      return result.ec == std::errc() && value.f == static_cast<float>(wanted);
    }
    default:
      return false;
  }
}

bool all_ones(const Attribute& value) {
  return value.type == Attribute::Type::kInts && std::all_of(value.ints.begin(), value.ints.end(), [](int64_t v) { return v == 1; });
}

// Whether an attribute of the source's version says nothing that the target's version does not do anyway.
bool says_nothing(const Attribute& value, const schema::Schema& source) {
  const auto known = source.find_attribute(value.name);
  if (!known) return false;
  if (value.name == "dilations") return all_ones(value);
  return !known->default_value.empty() && is_default(value, known->default_value);
}

void front_axes(Rewriter& rewriter, int64_t added) {
  const Attribute* axes = rewriter.attribute("axes");
  const bool some = axes != nullptr && std::any_of(axes->ints.begin(), axes->ints.end(), [](int64_t axis) { return axis < 0; });
  if (!some) return;
  std::vector<int64_t> values = axes->ints;
  const int64_t rank = rewriter.need_rank(rewriter.input(0)) + added * static_cast<int64_t>(values.size());
  for (int64_t& axis : values) axis = rewriter.front_axis(axis, rank);
  rewriter.set(Attribute::of("axes", values));
}
}  // namespace

void same(Rewriter& rewriter) {
  const auto source = schema::find("", rewriter.node.op_type, rewriter.from());
  const auto target = schema::find("", rewriter.node.op_type, rewriter.to());
  const Attributes attributes = rewriter.node.attribute;
  for (const Attribute& value : attributes) {
    if (!target || target->find_attribute(value.name)) continue;
    rewriter.attribute(value.name);
    if (!source || !says_nothing(value, *source)) {
      rewriter.refuse(
          fmt::format("the operator has no attribute '{}' there, and its value here is not the one that goes without saying", value.name));
    }
    rewriter.erase_attribute(value.name);
  }
  rewriter.finish();
}

void never(Rewriter& rewriter) { throw Error(ErrorCode::kInternal, fmt::format("{}: no step leads here", describe(rewriter.node))); }

void absent(Rewriter& rewriter) {
  rewriter.refuse(fmt::format("it has neither '{}' nor operators that make the same", rewriter.node.op_type));
}

void drop_consumed(Rewriter& rewriter) {
  rewriter.erase_attribute("consumed_inputs");  // a hint on memory
  same(rewriter);
}

// Axes counted from the end came with opset 11.
void front_axis_down(Rewriter& rewriter) {
  if (const Attribute* axis = rewriter.attribute("axis"); axis != nullptr && axis->i < 0) {
    const int64_t rank = rewriter.need_rank(rewriter.input(0));
    rewriter.set(Attribute::of("axis", rewriter.front_axis(axis->i, rank)));
  }
  front_axes(rewriter, 0);
  same(rewriter);
}

void unsqueeze_11_down(Rewriter& rewriter) {
  front_axes(rewriter, 1);
  same(rewriter);
}

void concat_4_up(Rewriter& rewriter) {
  if (!rewriter.has_attribute("axis")) rewriter.set(Attribute::of("axis", 1));
  rewriter.finish();
}

// Version 1 rounds its defaults.
void selu_6_up(Rewriter& rewriter) {
  if (!rewriter.has_attribute("alpha")) rewriter.set(Attribute::of("alpha", 1.6732F));
  if (!rewriter.has_attribute("gamma")) rewriter.set(Attribute::of("gamma", 1.0507F));
  drop_consumed(rewriter);
}

void selu_6_down(Rewriter& rewriter) {
  if (!rewriter.has_attribute("alpha")) rewriter.set(Attribute::of("alpha", 1.67326319217681884765625F));
  if (!rewriter.has_attribute("gamma")) rewriter.set(Attribute::of("gamma", 1.05070102214813232421875F));
  rewriter.finish();
}

// The exponent of a norm: a float in version 1.
void norm_p_up(Rewriter& rewriter) {
  const float p = rewriter.take_float("p", 2);
  if (p != static_cast<float>(static_cast<int>(std::clamp(p, -1e6F, 1e6F)))) rewriter.refuse("its 'p' is not a whole number");
  rewriter.set(Attribute::of("p", static_cast<int64_t>(p)));
  same(rewriter);
}

void norm_p_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("p", static_cast<float>(rewriter.take_int("p", 2))));
  rewriter.finish();
}

void grid_sample_20_up(Rewriter& rewriter) {
  const std::string mode = rewriter.take_string("mode", "bilinear");
  rewriter.set(Attribute::of("mode", mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode));
  rewriter.finish();
}

void grid_sample_20_down(Rewriter& rewriter) {
  if (rewriter.need_rank(rewriter.input(0)) != 4) rewriter.refuse("its input does not have rank 4");
  const std::string mode = rewriter.take_string("mode", "linear");
  rewriter.set(Attribute::of("mode", mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : mode));
  rewriter.finish();
}

// Version 10 samples at the corners, where version 16 shifts by half a pixel unless it is told not to.
void roi_align_16_up(Rewriter& rewriter) {
  rewriter.set(Attribute::of("coordinate_transformation_mode", "output_half_pixel"));
  rewriter.finish();
}

void roi_align_16_down(Rewriter& rewriter) {
  if (rewriter.take_string("coordinate_transformation_mode", "half_pixel") != "output_half_pixel") {
    rewriter.refuse("its coordinate_transformation_mode is not 'output_half_pixel'");
  }
  rewriter.finish();
}

void scatter_11_up(Rewriter& rewriter) {
  rewriter.node.op_type = "ScatterElements";
  rewriter.finish();
}

void resize_of_upsample(Rewriter& rewriter) {
  rewriter.node.op_type = "Resize";
  rewriter.finish();
}

void pad_2_up(Rewriter& rewriter) {
  const auto pads = rewriter.take_ints("paddings");
  if (!pads) rewriter.refuse("it has no attribute 'paddings'");
  rewriter.set(Attribute::of("pads", *pads));
  rewriter.finish();
}

void pad_2_down(Rewriter& rewriter) {
  const auto pads = rewriter.take_ints("pads");
  if (!pads) rewriter.refuse("it has no attribute 'pads'");
  rewriter.set(Attribute::of("paddings", *pads));
  rewriter.finish();
}

void pad_19_down(Rewriter& rewriter) {
  if (const Attribute* mode = rewriter.attribute("mode"); mode != nullptr && mode->s.text() == "wrap") {
    rewriter.refuse("its mode is 'wrap'");
  }
  rewriter.finish();
}

void scatter_18_down(Rewriter& rewriter) {
  const Attribute* reduction = rewriter.attribute("reduction");
  if (reduction != nullptr && (reduction->s.text() == "max" || reduction->s.text() == "min")) {
    rewriter.refuse(fmt::format("its reduction is '{}'", reduction->s.text()));
  }
  rewriter.finish();
}

void attention_24_down(Rewriter& rewriter) {
  if (rewriter.has_input(6)) rewriter.refuse("it has an input nonpad_kv_seqlen");
  rewriter.cut_inputs(6);
  same(rewriter);
}

void arg_12_down(Rewriter& rewriter) {
  if (rewriter.get_int("select_last_index", 0) == 0) return same(rewriter);
  rewriter.erase_attribute("select_last_index");
  const int64_t axis = rewriter.get_int("axis", 0);
  const std::string& data = rewriter.input(0);
  // The last of the greatest is the first from the other end.
  constexpr int64_t kBeforeFirst = INT64_MIN + 1;
  const std::string reversed =
      rewriter.emit("Slice", {data, rewriter.ints({-1}), rewriter.ints({kBeforeFirst}), rewriter.ints({axis}), rewriter.ints({-1})});
  const std::string size = rewriter.emit("Gather", {rewriter.emit("Shape", {data}), rewriter.constant_value(Tensor::scalar(axis))});
  const std::string last = rewriter.emit("Sub", {size, rewriter.constant_value(Tensor::scalar(int64_t{1}))});
  rewriter.set_input(0, reversed);
  const std::string from_end = rewriter.finish_with(0);
  rewriter.emit_as("Sub", {last, from_end}, {rewriter.output(0)});
}

// Both count channels of DCR order; the transpose brings CRD to it.
void depth_to_space_11_down(Rewriter& rewriter) {
  if (rewriter.take_string("mode", "DCR") == "DCR") return rewriter.finish();
  const int64_t block = rewriter.get_int("blocksize", 1);
  if (block < 1 || block > 1 << 15) rewriter.refuse("its blocksize is out of range");
  const auto transposed = [&](const std::string& value, std::vector<int64_t> perm) {
    return rewriter.emit("Transpose", {value}, {Attribute::of("perm", std::move(perm))});
  };
  const std::string last = transposed(rewriter.input(0), {0, 2, 3, 1});
  const std::string split = rewriter.emit("Reshape", {last, rewriter.ints({0, 0, 0, -1, block * block})});
  const std::string swapped = transposed(split, {0, 1, 2, 4, 3});
  const std::string joined = rewriter.emit("Reshape", {swapped, rewriter.ints({0, 0, 0, -1})});
  rewriter.set_input(0, transposed(joined, {0, 3, 1, 2}));
  rewriter.finish();
}

}  // namespace sardonyx::convert
