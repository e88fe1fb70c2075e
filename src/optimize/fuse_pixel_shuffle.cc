#include <algorithm>
#include <array>

#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int kDepth = 8;           // of the arithmetic that a shape is computed with
constexpr size_t kMaxEntries = 64;  // of a shape
constexpr int64_t kInferred = -1;   // entry of Reshape's shape
constexpr int64_t kKept = 0;        // the same, unless the attribute allowzero is set

// An entry of a shape: `factor` times dimension `axis` of value `of`, or the constant `factor`.
struct Entry {
  int64_t factor = 0;
  std::string of;
  int64_t axis = -1;

  bool is_constant() const { return of.empty(); }
  bool is(int64_t times, const std::string& value, int64_t dimension) const { return factor == times && of == value && axis == dimension; }
};
using Entries = std::vector<Entry>;

std::optional<std::vector<int64_t>> integers(const GraphView& graph, const std::string& value) {
  const Tensor* constant = graph.constant(value);
  if (!constant || constant->numel() > static_cast<int64_t>(kMaxEntries) || constant->dim() > 1) return std::nullopt;
  if (constant->dtype() != DType::kInt64 && constant->dtype() != DType::kInt32) return std::nullopt;
  const Tensor wide = constant->to(DType::kInt64);
  return std::vector<int64_t>(wide.values<int64_t>().begin(), wide.values<int64_t>().end());
}

std::optional<Entries> entries(const GraphView& graph, const std::string& value, int depth);

// Dimensions picked from the shape of a value.
std::optional<Entries> gathered(const GraphView& graph, const model::Node& gather) {
  if (gather.input.size() != 2 || model::get_int(gather, "axis", 0) != 0) return std::nullopt;
  const std::optional<size_t> producer = graph.producer(gather.input[0]);
  const std::optional<std::vector<int64_t>> axes = integers(graph, gather.input[1]);
  if (!producer || !axes) return std::nullopt;
  const model::Node& shape = *graph.node(*producer);
  if (shape.op_type != "Shape" || !is_onnx_domain(shape.domain) || shape.find_attribute("start") || shape.find_attribute("end")) {
    return std::nullopt;
  }
  Entries result;
  for (const int64_t axis : *axes) {
    if (axis < 0) return std::nullopt;
    result.push_back({1, shape.input.at(0), axis});
  }
  return result;
}

std::optional<Entries> joined(const GraphView& graph, const model::Node& concat, int depth) {
  Entries result;
  for (const std::string& input : concat.input) {
    const std::optional<Entries> part = entries(graph, input, depth);
    if (!part || result.size() + part->size() > kMaxEntries) return std::nullopt;
    result.insert(result.end(), part->begin(), part->end());
  }
  return result;
}

std::optional<Entries> multiplied(const GraphView& graph, const model::Node& mul, int depth) {
  if (mul.input.size() != 2) return std::nullopt;
  std::optional<Entries> a = entries(graph, mul.input[0], depth), b = entries(graph, mul.input[1], depth);
  if (!a || !b) return std::nullopt;
  if (a->size() == 1) a->resize(b->size(), a->front());
  if (b->size() == 1) b->resize(a->size(), b->front());
  if (a->size() != b->size()) return std::nullopt;
  for (size_t i = 0; i < a->size(); ++i) {
    Entry &left = (*a)[i], &right = (*b)[i];
    if (left.is_constant()) std::swap(left, right);
    if (!right.is_constant() || __builtin_mul_overflow(left.factor, right.factor, &left.factor)) return std::nullopt;
  }
  return a;
}

// The entries of a shape, as far as they are constants and dimensions of values.
std::optional<Entries> entries(const GraphView& graph, const std::string& value, int depth) {
  if (const std::optional<std::vector<int64_t>> constants = integers(graph, value)) {
    Entries result;
    for (const int64_t constant : *constants) result.push_back({constant, "", -1});
    return result;
  }
  const std::optional<size_t> producer = graph.producer(value);
  if (!producer || depth == 0) return std::nullopt;
  const model::Node& node = *graph.node(*producer);
  if (!is_onnx_domain(node.domain) || node.input.empty()) return std::nullopt;
  if (node.op_type == "Gather") return gathered(graph, node);
  if (node.op_type == "Concat") return joined(graph, node, depth - 1);
  if (node.op_type == "Mul") return multiplied(graph, node, depth - 1);
  if (node.op_type == "Unsqueeze" || node.op_type == "Identity") return entries(graph, node.input[0], depth - 1);
  return std::nullopt;
}

// What is known of the input's shape, which has rank 4: -1 where a size is not; nullopt where the rank is not.
std::optional<std::array<int64_t, 4>> known_shape(const GraphView& graph, const std::string& x) {
  std::array<int64_t, 4> sizes = {-1, -1, -1, -1};
  bool has_rank = false;
  if (const model::TensorType* type = graph.type(x); type && type->has_shape) {
    if (type->shape.dims.size() != sizes.size()) return std::nullopt;
    for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = type->shape.dims[i].is_known() ? type->shape.dims[i].size() : -1;
    has_rank = true;
  }
  const std::optional<size_t> producer = graph.producer(x);
  if (!producer) return has_rank ? std::optional(sizes) : std::nullopt;
  const model::Node& node = *graph.node(*producer);
  const bool is_conv = (node.op_type == "Conv" && is_onnx_domain(node.domain)) || (node.op_type == "FusedConv");
  const Tensor* weight = is_conv && node.input.size() > 1 ? graph.constant(node.input[1]) : nullptr;
  if (weight && weight->dim() == 4) {
    sizes[1] = weight->size(0);
    has_rank = true;
  }
  return has_rank ? std::optional(sizes) : std::nullopt;
}

struct Shuffle {
  std::string x;
  std::array<int64_t, 4> known;  // of x
  int64_t block = 0, channels = 0;
  bool is_crd = false;

  // Whether the entry is `times` dimension `axis` of x.
  bool is_dimension(const Entry& entry, int64_t times, int64_t axis) const {
    const int64_t size = known[static_cast<size_t>(axis)];
    if (entry.is_constant()) return size > 0 && entry.factor == times * size;
    return entry.is(times, x, axis);
  }
  // Whether that is the first entry of Reshape's shape; -1 stands for it if all others are what they should be.
  bool is_batch(const Entry& entry) const {
    return (entry.is_constant() && (entry.factor == kKept || entry.factor == kInferred)) || is_dimension(entry, 1, 0);
  }
};

bool takes_shape(const GraphView& graph, const model::Node& node) {
  return node.op_type == "Reshape" && is_onnx_domain(node.domain) && node.input.size() == 2 && graph.opset(node.domain) >= 5 &&
         model::get_int(node, "allowzero", 0) == 0;
}

// x cut into channels and blocks.
std::optional<Shuffle> cut(const GraphView& graph, const model::Node& reshape, const model::Node& transpose) {
  const std::vector<int64_t> perm = model::get_ints(transpose, "perm");
  Shuffle shuffle;
  shuffle.is_crd = perm == std::vector<int64_t>{0, 1, 4, 2, 5, 3};
  if (!shuffle.is_crd && perm != std::vector<int64_t>{0, 3, 4, 1, 5, 2}) return std::nullopt;
  shuffle.x = reshape.input[0];
  const std::optional<Entries> shape = entries(graph, reshape.input[1], kDepth);
  const auto known = known_shape(graph, shuffle.x);
  if (!shape || shape->size() != 6 || !known) return std::nullopt;
  shuffle.known = *known;
  const Entry& channels = (*shape)[shuffle.is_crd ? 1 : 3];
  const size_t blocks = shuffle.is_crd ? 2 : 1;
  const Entry &rows = (*shape)[blocks], &columns = (*shape)[blocks + 1];
  if (!rows.is_constant() || !columns.is_constant() || rows.factor != columns.factor || rows.factor < 1) return std::nullopt;
  if (!channels.is_constant() || channels.factor < 1) return std::nullopt;
  shuffle.block = rows.factor;
  shuffle.channels = channels.factor;
  constexpr int64_t kMost = int64_t{1} << 15;
  if (shuffle.block > kMost || shuffle.channels > (kMost << 15) || known->at(1) != shuffle.channels * shuffle.block * shuffle.block) {
    return std::nullopt;
  }
  const bool fits = shuffle.is_batch((*shape)[0]) && shuffle.is_dimension((*shape)[4], 1, 2) && shuffle.is_dimension((*shape)[5], 1, 3);
  return fits ? std::optional(shuffle) : std::nullopt;
}

// Whether the last Reshape joins blocks with rows and columns.
bool joins(const GraphView& graph, const model::Node& reshape, const Shuffle& shuffle) {
  const std::optional<Entries> shape = entries(graph, reshape.input[1], kDepth);
  if (!shape || shape->size() != 4) return false;
  const auto is_inferred = [](const Entry& entry) { return entry.is_constant() && entry.factor == kInferred; };
  if (std::ranges::count_if(*shape, is_inferred) > 1) return false;
  const Entry& channels = (*shape)[1];
  const bool channels_fit =
      is_inferred(channels) || (channels.is_constant() && (channels.factor == kKept || channels.factor == shuffle.channels));
  const auto side_fits = [&](int64_t axis) {
    const Entry& entry = (*shape)[static_cast<size_t>(axis)];
    return is_inferred(entry) || shuffle.is_dimension(entry, shuffle.block, axis);
  };
  return shuffle.is_batch((*shape)[0]) && channels_fit && side_fits(2) && side_fits(3);
}

}  // namespace

std::optional<Patch> fuse_pixel_shuffle(const GraphView& graph, size_t index) {
  const model::Node& transpose = *graph.node(index);
  if (transpose.op_type != "Transpose" || !is_onnx_domain(transpose.domain)) return std::nullopt;
  const std::optional<size_t> before = graph.producer(transpose.input.at(0)), after = graph.sole_consumer(first_output(transpose));
  if (!before || !after || graph.sole_consumer(transpose.input[0]) != index) return std::nullopt;
  const model::Node &first = *graph.node(*before), &last = *graph.node(*after);
  if (!takes_shape(graph, first) || !takes_shape(graph, last) || last.input[0] != first_output(transpose)) return std::nullopt;
  const std::optional<Shuffle> shuffle = cut(graph, first, transpose);
  if (!shuffle || !joins(graph, last, *shuffle)) return std::nullopt;
  model::Node fused;
  fused.op_type = "DepthToSpace";
  // The standard operator has the order of torch's pixel_shuffle from opset 11 on.
  if (shuffle->is_crd && graph.opset("") < 11) fused.domain = kFusedDomain;
  fused.name = last.name;
  fused.input = {shuffle->x};
  fused.output = last.output;
  fused.attribute = {model::Attribute::of("blocksize", shuffle->block)};
  if (shuffle->is_crd) fused.attribute.push_back(model::Attribute::of("mode", "CRD"));
  Patch patch{.remove = {*before, index, *after}};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
