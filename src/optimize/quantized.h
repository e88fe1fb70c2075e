// Quantised values as graphs spell them: DequantizeLinear before a node, QuantizeLinear behind it, with constant scales.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "optimize/graph_view.h"

namespace sardonyx::optimize {

// How bytes stand for numbers: (q - zero) * scale. Scales are finite, normal and positive.
struct Quantization {
  std::string scale, zero;         // their names; zero is "" where the node leaves it out
  const Tensor* scales = nullptr;  // float32
  const Tensor* zeros = nullptr;   // null: left out, which means 0
  DType type = DType::kUndefined;  // of q
  int64_t axis = 1;                // of scales that are not one
  bool has_one_scale() const noexcept { return scales->numel() == 1; }
  double scale_at(size_t i) const;
  double zero_at(size_t i) const;
  // The same numbers for the same bytes.
  bool equals(const Quantization& other) const;
};

struct Dequantized {
  size_t node;  // DequantizeLinear
  std::string q;
  Quantization how;
};
// What a value is dequantised from; nullopt where no DequantizeLinear of a known integer type with constant scales makes it.
std::optional<Dequantized> dequantized(const GraphView& graph, const std::string& value);

struct Quantized {
  size_t node;  // QuantizeLinear
  std::string q;
  Quantization how;
};
// What a node quantises; nullopt where it is no such QuantizeLinear.
std::optional<Quantized> quantized_by(const GraphView& graph, size_t node);

// Least and greatest number that bytes of that type stand for.
double least_value(const Quantization& how);
double greatest_value(const Quantization& how);
bool is_byte(DType dtype) noexcept;

// Removes the DequantizeLinear nodes that only `reader` reads, each once.
void retire(const GraphView& graph, const std::vector<Dequantized>& inputs, size_t reader, Patch& patch);

}  // namespace sardonyx::optimize
