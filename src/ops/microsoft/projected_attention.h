// Self-attention over Q, K and V that one projection has made side by side: rows of (queries | keys | values), each heads * head size.
#pragma once

#include <memory>
#include <vector>

#include "ops/microsoft/head_attention.h"

namespace sardonyx::ops {

// Where the optional inputs stand; kNoInput: the operator has none.
inline constexpr size_t kNoInput = 1000;
struct ProjectedPlaces {
  size_t mask = kNoInput, past = kNoInput, bias = kNoInput;
};

struct ProjectedSpec {
  HeadAttentionSpec attention;
  std::vector<int64_t> hidden_sizes;  // of Q, K and V; empty: three equal ones
  int64_t rotated = 0;                // values of each head that turn with their position; 0: all
  bool rotary = false;
  bool shared_buffer = false;
};
ProjectedSpec projected_spec_from_node(const model::Node& node);

class ProjectedAttention {
 public:
  // `weights`: [input size, columns]. Throws InvalidArgument where inputs do not fit each other.
  ProjectedAttention(const ProjectedSpec& spec, const ProjectedPlaces& places, const BindContext& b, const Shape& input,
                     const Shape& weights, bool wants_present);

  size_t rows() const noexcept { return to_size(attention_.sizes.batch * attention_.sizes.queries); }
  size_t columns() const noexcept { return columns_; }
  size_t input_size() const noexcept { return input_size_; }
  Shape out() const;
  Shape present() const;
  size_t scratch_bytes(int threads) const noexcept { return attention_.scratch_bytes(threads); }
  double flops() const noexcept;

  // Throws InvalidArgument for mask values that make no sense.
  void check(const RunContext& r) const;
  // `projected`: rows() x columns(). Writes the outputs.
  void run(const RunContext& r, float* projected, void* scratch) const;

 private:
  struct Rotation {
    std::vector<float> cosine, sine;  // of each position
    std::vector<int64_t> positions;   // of each row
    size_t rotated = 0;
  };
  void bind_sizes(const ProjectedSpec& spec, const Shape& input, const Shape& weights);
  void bind_past(const ValueFacts& past);
  void make_rotation(const ProjectedSpec& spec);
  void turn(float* rows, core::ThreadPool& pool) const;
  void join(const RunContext& r, const HeadAttention::Values& values) const;

  HeadAttention attention_;
  ProjectedPlaces places_;
  size_t columns_ = 0, input_size_ = 0;
  std::shared_ptr<const Rotation> rotation_;
};

}  // namespace sardonyx::ops
