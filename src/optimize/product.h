// A product with a constant weight, as the rules about its neighbourhood see it: Conv, ConvTranspose, Gemm, MatMul, and what earlier
// rules have made of them (FusedConv and so on).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/graph_view.h"

namespace sardonyx::optimize {

enum class ProductKind { kConv, kConvTranspose, kGemm, kMatMul };

// nullopt for any other operator.
std::optional<ProductKind> product_kind(const model::Node& node) noexcept;
// It applies a function to its result, behind which nothing linear can go.
bool has_activation(const model::Node& node) noexcept;
// FusedConv with its fourth input.
bool has_residual(const model::Node& node) noexcept;
// The operator of our own domain that computes the same and has room for an activation, a residual or the bias of a MatMul.
model::Node as_fused(model::Node node);

// One that is linear so far (no activation, no residual), with its weight and, where it has a bias, that one too constant and of a type
// in which they can be computed with (float or double).
struct Product {
  ProductKind kind;
  const model::Node* node;
  const Tensor* weight;
  const Tensor* bias;  // null: none
  size_t channels;     // of the result
};
std::optional<Product> constant_product(const GraphView& graph, const model::Node& node);

// The rank of the result; nullopt where it is not known (MatMul).
std::optional<size_t> result_rank(const GraphView& graph, const Product& product);

// The constant as one finite number for each channel of the product's result, if it broadcasts to the result in that way.
std::optional<std::vector<double>> channel_values(const GraphView& graph, const Product& product, std::string_view constant);

// The same for a result of `rank` dimensions (nullopt: unknown) with `behind` of them behind the channels.
std::optional<std::vector<double>> channel_values(const Tensor& constant, size_t channels, size_t behind, std::optional<size_t> rank);

// y = x * scale + shift, per channel. Empty: 1 and 0.
struct Affine {
  std::vector<double> scale, shift;
};
// The product followed by `affine`, as one node that gives `output`; `next` is the node after it. nullopt where a weight would leave the
// range of its type.
std::optional<Patch> fold_into_product(const GraphView& graph, const Product& product, const Affine& affine, size_t product_index,
                                       size_t next);

}  // namespace sardonyx::optimize
