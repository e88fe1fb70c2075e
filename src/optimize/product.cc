#include "optimize/product.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "optimize/known_shape.h"
#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kGemmBroadcasts = 7;  // from this opset on, without an attribute

struct KindRow {
  std::string_view onnx, fused;
  ProductKind kind;
};
constexpr KindRow kKinds[] = {{"Conv", "FusedConv", ProductKind::kConv},
                              {"ConvTranspose", "FusedConvTranspose", ProductKind::kConvTranspose},
                              {"Gemm", "FusedGemm", ProductKind::kGemm},
                              {"MatMul", "FusedMatMul", ProductKind::kMatMul}};

const KindRow* find_kind(const model::Node& node) noexcept {
  const bool is_onnx = is_onnx_domain(node.domain);
  if (node.domain == "com.microsoft" && node.op_type != "FusedMatMul") return nullptr;
  if (!is_onnx && node.domain != kFusedDomain && node.domain != "com.microsoft") return nullptr;
  const auto* row = std::ranges::find(kKinds, std::string_view(node.op_type), is_onnx ? &KindRow::onnx : &KindRow::fused);
  return row == std::end(kKinds) ? nullptr : row;
}

// Where the channel of a weight's element is: element i belongs to channel i / inner % channels of its group.
struct ChannelLayout {
  size_t inner, channels, per_group;  // elements of one group, all of whose channels are its own

  size_t operator()(size_t i) const noexcept { return i / per_group * channels + i % per_group / inner % channels; }
};

ChannelLayout channel_layout(const Product& product) {
  const Tensor& w = *product.weight;
  const auto all = static_cast<size_t>(w.numel());
  switch (product.kind) {
    case ProductKind::kConv:
      return {all / product.channels, product.channels, all};
    case ProductKind::kConvTranspose: {
      const auto groups = static_cast<size_t>(model::get_int(*product.node, "group", 1));
      const size_t channels = product.channels / groups, kernel = all / static_cast<size_t>(w.size(0) * w.size(1));
      return {kernel, channels, all / groups};
    }
    default: {
      const bool rows = model::get_int(*product.node, "transB", 0) != 0;
      return {rows ? all / product.channels : 1, product.channels, all};
    }
  }
}

std::optional<size_t> channel_count(ProductKind kind, const model::Node& node, const Tensor& w) {
  if (w.numel() == 0) return std::nullopt;
  const bool spatial = kind == ProductKind::kConv || kind == ProductKind::kConvTranspose;
  if (spatial ? w.dim() < 3 : w.dim() != 2) return std::nullopt;
  const int64_t groups = spatial ? model::get_int(node, "group", 1) : 1;
  if (groups < 1 || w.size(0) % groups != 0) return std::nullopt;
  if (kind == ProductKind::kConv) return static_cast<size_t>(w.size(0));
  if (kind == ProductKind::kConvTranspose) return static_cast<size_t>(w.size(1) * groups);
  return static_cast<size_t>(w.size(model::get_int(node, "transB", 0) != 0 ? 0 : 1));
}

bool is_real(const Tensor& tensor) { return tensor.dtype() == DType::kFloat32 || tensor.dtype() == DType::kFloat64; }

// One value for each channel, if the tensor is one number, or a vector of them behind which `behind` dimensions of size 1 may follow.
bool is_per_channel(const Shape& shape, size_t channels, size_t behind, std::optional<size_t> rank) {
  if (rank ? shape.size() > *rank : shape.size() > 1) return false;
  const bool is_one = std::ranges::all_of(shape, [](int64_t size) { return size == 1; });
  if (is_one) return true;
  if (shape.size() <= behind) return false;
  const size_t axis = shape.size() - 1 - behind;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != (i == axis ? static_cast<int64_t>(channels) : 1)) return false;
  }
  return true;
}

std::optional<std::vector<double>> spread(const Tensor& tensor, size_t channels) {
  const Tensor wide = tensor.to(DType::kFloat64);
  const std::span<const double> values = wide.values<double>();
  if (!std::ranges::all_of(values, [](double v) { return std::isfinite(v); })) return std::nullopt;
  if (values.size() == 1) return std::vector<double>(channels, values[0]);
  return std::vector<double>(values.begin(), values.end());
}

template <class T>
bool store(double value, T& to) {
  to = static_cast<T>(value);
  return std::isfinite(to);
}

template <class T>
std::optional<Tensor> scaled_weight(const Product& product, const std::vector<double>& scale) {
  Tensor result = product.weight->clone();
  const std::span<T> values = result.mutable_values<T>();
  const ChannelLayout channel = channel_layout(product);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!store(static_cast<double>(values[i]) * scale[channel(i)], values[i])) return std::nullopt;
  }
  return result;
}

template <class T>
std::optional<Tensor> as_bias(const std::vector<double>& bias) {
  Tensor result = Tensor::empty({static_cast<int64_t>(bias.size())}, kDTypeOf<T>);
  const std::span<T> values = result.mutable_values<T>();
  for (size_t c = 0; c < bias.size(); ++c) {
    if (!store(bias[c], values[c])) return std::nullopt;
  }
  return result;
}

// bias * scale + shift; Gemm's beta goes into it.
std::optional<Tensor> new_bias(const Product& product, const Affine& affine) {
  std::vector<double> bias(product.channels);
  if (product.bias) {
    const std::optional<std::vector<double>> old = spread(*product.bias, product.channels);
    if (!old) return std::nullopt;
    bias = *old;
  }
  const double beta = product.kind == ProductKind::kGemm ? static_cast<double>(model::get_float(*product.node, "beta", 1.0f)) : 1.0;
  for (size_t c = 0; c < bias.size(); ++c) {
    bias[c] *= beta * (affine.scale.empty() ? 1.0 : affine.scale[c]);
    if (!affine.shift.empty()) bias[c] += affine.shift[c];
  }
  return product.weight->dtype() == DType::kFloat32 ? as_bias<float>(bias) : as_bias<double>(bias);
}

constexpr int kMaxSearch = 8;  // nodes through which a rank is followed

// Looks through operators that keep the rank.
std::optional<size_t> rank_of(const GraphView& graph, const std::string& value, int depth) {
  if (const std::optional<size_t> rank = known_rank(graph, value)) return rank;
  const std::optional<size_t> producer = graph.producer(value);
  if (!producer || depth == 0) return std::nullopt;
  const model::Node& node = *graph.node(*producer);
  if (node.input.empty()) return std::nullopt;
  if (is_onnx_domain(node.domain) && node.op_type == "Flatten") return 2;
  const std::optional<ProductKind> kind = product_kind(node);
  if (kind == ProductKind::kGemm) return 2;
  if (kind == ProductKind::kMatMul) {
    const std::optional<size_t> right = rank_of(graph, node.input.at(1), depth - 1);
    return right == 2 ? rank_of(graph, node.input[0], depth - 1) : std::nullopt;
  }
  constexpr std::string_view kSameRank[] = {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Gelu", "Softmax", "Erf", "Cast"};
  if (!is_onnx_domain(node.domain) || std::ranges::find(kSameRank, node.op_type) == std::end(kSameRank)) return std::nullopt;
  return rank_of(graph, node.input[0], depth - 1);
}

// MatMul becomes Gemm where its result is a matrix, FusedMatMul elsewhere.
void make_room_for_bias(const GraphView& graph, const Product& product, model::Node& node) {
  if (product.kind != ProductKind::kMatMul || node.domain == kFusedDomain) return;
  if (is_onnx_domain(node.domain) && result_rank(graph, product) == 2 && graph.opset("") >= kGemmBroadcasts) {
    node.op_type = "Gemm";
  } else {
    node = as_fused(std::move(node));
  }
}

}  // namespace

std::optional<ProductKind> product_kind(const model::Node& node) noexcept {
  const KindRow* row = find_kind(node);
  return row ? std::optional(row->kind) : std::nullopt;
}

bool has_activation(const model::Node& node) noexcept {
  return node.domain == kFusedDomain && node.find_attribute("activation") != nullptr;
}

bool has_residual(const model::Node& node) noexcept {
  return node.domain == kFusedDomain && node.input.size() > 3 && !node.input[3].empty();
}

model::Node as_fused(model::Node node) {
  const KindRow* row = find_kind(node);
  node.domain = kFusedDomain;
  node.op_type = row->fused;
  return node;
}

std::optional<Product> constant_product(const GraphView& graph, const model::Node& node) {
  const std::optional<ProductKind> kind = product_kind(node);
  if (!kind || node.input.size() < 2 || has_activation(node) || has_residual(node)) return std::nullopt;
  if (*kind == ProductKind::kGemm && graph.opset("") < kGemmBroadcasts) return std::nullopt;
  const Tensor* weight = graph.constant(node.input[1]);
  if (!weight || !is_real(*weight)) return std::nullopt;
  const std::optional<size_t> channels = channel_count(*kind, node, *weight);
  if (!channels) return std::nullopt;
  Product product{*kind, &node, weight, nullptr, *channels};
  if (node.input.size() < 3 || node.input[2].empty()) return product;
  product.bias = graph.constant(node.input[2]);
  if (!product.bias || product.bias->dtype() != weight->dtype()) return std::nullopt;
  const std::optional<size_t> rank = *kind == ProductKind::kGemm ? 2 : 1;
  if (!is_per_channel(product.bias->shape(), *channels, 0, rank)) return std::nullopt;
  const bool must_be_vector = *kind != ProductKind::kGemm;
  return must_be_vector && product.bias->shape() != Shape{static_cast<int64_t>(*channels)} ? std::nullopt : std::optional(product);
}

std::optional<size_t> result_rank(const GraphView& graph, const Product& product) {
  if (product.kind == ProductKind::kGemm) return 2;
  if (product.kind != ProductKind::kMatMul) return product.weight->shape().size();
  if (const std::optional<size_t> rank = known_rank(graph, first_output(*product.node))) return rank;
  return rank_of(graph, product.node->input[0], kMaxSearch);
}

std::optional<std::vector<double>> channel_values(const Tensor& constant, size_t channels, size_t behind, std::optional<size_t> rank) {
  return is_per_channel(constant.shape(), channels, behind, rank) ? spread(constant, channels) : std::nullopt;
}

std::optional<std::vector<double>> channel_values(const GraphView& graph, const Product& product, std::string_view constant) {
  const Tensor* tensor = graph.constant(constant);
  if (!tensor || tensor->dtype() != product.weight->dtype()) return std::nullopt;
  const std::optional<size_t> rank = result_rank(graph, product);
  const bool spatial = product.kind == ProductKind::kConv || product.kind == ProductKind::kConvTranspose;
  return channel_values(*tensor, product.channels, spatial ? *rank - 2 : 0, rank);
}

std::optional<Patch> fold_into_product(const GraphView& graph, const Product& product, const Affine& affine, size_t product_index,
                                       size_t next) {
  const model::Node& node = *product.node;
  Patch patch{.remove = {product_index, next}};
  model::Node fused = node;
  if (!affine.scale.empty()) {
    const bool is_float = product.weight->dtype() == DType::kFloat32;
    const auto weight = is_float ? scaled_weight<float>(product, affine.scale) : scaled_weight<double>(product, affine.scale);
    if (!weight) return std::nullopt;
    fused.input[1] = graph.fresh_name(node.input[1] + "_scaled");
    patch.constants.push_back(model::encode(*weight, fused.input[1]));
  }
  const bool has_shift = std::ranges::any_of(affine.shift, [](double s) { return s != 0; });
  if (product.bias || has_shift) {
    const std::optional<Tensor> bias = new_bias(product, affine);
    if (!bias) return std::nullopt;
    fused.input.resize(3);
    fused.input[2] = graph.fresh_name(first_output(node) + "_bias");
    patch.constants.push_back(model::encode(*bias, fused.input[2]));
    std::erase_if(fused.attribute, [](const model::Attribute& a) { return a.name == "beta"; });
    make_room_for_bias(graph, product, fused);
  }
  fused.output = {first_output(*graph.node(next))};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
