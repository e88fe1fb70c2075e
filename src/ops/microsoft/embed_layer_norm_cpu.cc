// EmbedLayerNormalization of com.microsoft: layer normalisation of word + position + segment embeddings. Outputs: the result, the number
// of ones in each row of the mask (0 without a mask), the sum.
#include <algorithm>
#include <array>

#include "ops/elements/real.h"
#include "ops/microsoft/summed_norm.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input : size_t { kWordIds, kSegmentIds, kWords, kPositions, kSegments, kScale, kShift, kMask, kPositionIds };

// A table of embeddings and who tells the row of each token.
struct Table {
  const char* name = "";
  size_t table = 0, ids = 0;  // inputs
  bool present = false;
  size_t rows = 0;
  size_t id_count = 0;  // after which ids begin anew; 0: the token's place in its sequence
};

struct EmbedStep {
  SummedNorm norm;
  size_t length;  // of a sequence
  std::array<Table, 3> tables;

  size_t row_of(const Table& table, const RunContext& r, size_t token) const noexcept {
    if (table.id_count == 0) return token % length;
    return to_size(static_cast<const int32_t*>(r.inputs[table.ids].raw())[token % table.id_count]);
  }

  void check_ids(const RunContext& r) const {
    for (const Table& table : tables) {
      if (!table.present || table.id_count == 0) continue;
      const auto* ids = static_cast<const int32_t*>(r.inputs[table.ids].raw());
      for (size_t i = 0; i < table.id_count; ++i) {
        if (ids[i] < 0 || to_size(ids[i]) >= table.rows) {
          throw argument_error("{} id {} is outside [0, {}), the rows of the embedding", table.name, ids[i], table.rows);
        }
      }
    }
  }

  template <class T>
  void run(const RunContext& r) const {
    check_ids(r);
    const size_t size = norm.norm.size;
    T* sums = static_cast<T*>(norm.sums(r).mutable_raw());
    r.pool.for_ranges(norm.norm.rows, std::max<size_t>(1, 8192 / size), [&](size_t begin, size_t end) {
      for (size_t token = begin; token < end; ++token) {
        T* to = sums + token * size;
        std::fill(to, to + size, T{0});
        for (const Table& table : tables) {
          if (!table.present) continue;
          const T* from = input_data<T>(r, table.table) + row_of(table, r, token) * size;
          for (size_t i = 0; i < size; ++i) to[i] += from[i];
        }
      }
    });
    norm.run(r);
  }

  void count_mask(const RunContext& r) const {
    if (r.outputs.size() < 2 || !r.outputs[1].defined()) return;
    const Tensor* mask = optional(r, kMask);
    const std::span<int32_t> counts = r.outputs[1].mutable_values<int32_t>();
    for (size_t i = 0; i < counts.size(); ++i) {
      const int32_t* row = mask ? static_cast<const int32_t*>(mask->raw()) + i * length : nullptr;
      counts[i] = row ? static_cast<int32_t>(std::count(row, row + length, 1)) : 0;
    }
  }
};

void require_ids(const BindContext& b, size_t index, const Shape& shape, std::string_view name) {
  const ValueFacts* facts = optional(b, index);
  if (!facts) return;
  require_dtype(*facts, {DType::kInt32}, name);
  if (facts->shape != shape) throw argument_error("{} has shape {}, input_ids has {}", name, to_string(facts->shape), to_string(shape));
}

Table bind_table(const BindContext& b, Table table, const ValueFacts& words) {
  const ValueFacts& facts = required(b, table.table, std::string(table.name) + "_embedding");
  require_same_dtype(words, facts, "word_embedding", std::string(table.name) + "_embedding");
  if (facts.shape.size() != 2 || facts.shape[1] != words.shape[1]) {
    throw argument_error("{}_embedding has shape {}; it must be a matrix of {} columns, as word_embedding", table.name,
                         to_string(facts.shape), words.shape[1]);
  }
  table.present = true;
  table.rows = to_size(facts.shape[0]);
  if (const ValueFacts* ids = optional(b, table.ids)) table.id_count = to_size(element_count(ids->shape));
  return table;
}

// The three tables in the order in which they are added.
std::array<Table, 3> bind_tables(const BindContext& b, const Shape& ids) {
  const ValueFacts& words = required(b, kWords, "word_embedding");
  require_dtype(words, kReals, "word_embedding");
  require_rank(words, 2, "word_embedding");
  require_ids(b, kSegmentIds, ids, "segment_ids");
  require_ids(b, kMask, ids, "mask");
  const ValueFacts* places = optional(b, kPositionIds);
  require_ids(b, kPositionIds, places && places->shape == Shape{1, ids[1]} ? places->shape : ids, "position_ids");
  std::array<Table, 3> tables = {bind_table(b, {.name = "word", .table = kWords, .ids = kWordIds}, words),
                                 bind_table(b, {.name = "position", .table = kPositions, .ids = kPositionIds}, words), Table{}};
  if (optional(b, kSegmentIds)) tables[2] = bind_table(b, {.name = "segment", .table = kSegments, .ids = kSegmentIds}, words);
  if (!places && tables[1].rows < to_size(ids[1])) {
    throw argument_error("position_embedding has {} rows, too few for sequences of {}", tables[1].rows, ids[1]);
  }
  return tables;
}

std::unique_ptr<Bound> bind_embed_norm(float epsilon, const std::vector<bool>& wanted, const BindContext& b) {
  const ValueFacts& ids = required(b, kWordIds, "input_ids");
  require_dtype(ids, {DType::kInt32}, "input_ids");
  require_rank(ids, 2, "input_ids");
  const std::array<Table, 3> tables = bind_tables(b, ids.shape);
  const ValueFacts& words = b.inputs[kWords];
  const ValueFacts y = output(words.dtype, {ids.shape[0], ids.shape[1], words.shape[1]});
  const SummedNormPlaces places = {.scale = kScale, .shift = kShift, .sum = 2};
  const EmbedStep step{bind_summed_norm(b, y.shape, words.dtype, epsilon, places), to_size(ids.shape[1]), tables};
  required(b, kShift, "beta");
  auto bound =
      make_bound(keep_wanted({y, output(DType::kInt32, {ids.shape[0]}), y}, wanted), [step, dtype = words.dtype](const RunContext& r) {
        if (step.norm.norm.rows != 0) with_real(dtype, [&]<class T>() { step.run<T>(r); });
        step.count_mask(r);
      });
  bound->scratch_bytes = row_norm_scratch(step.norm.norm);
  bound->flops = 10.0 * static_cast<double>(element_count(y.shape));
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_embed_norm(const PrepareContext& context) {
  std::vector<bool> wanted = wanted_outputs(context.node);
  wanted.front() = true;
  return make_prepared(
      [epsilon = epsilon_from_node(context.node), wanted](const BindContext& b) { return bind_embed_norm(epsilon, wanted, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_embed_layer_norm(const PrepareContext& context) { return via_float(context, prepare_wide_embed_norm); }

}  // namespace sardonyx::ops
