// TopK: the k greatest (or least) elements of each line, in order, with their indices. Of equal elements the first comes first; NaN is
// greater than all.
#include <algorithm>

#include "core/arena.h"
#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct TopKSpec {
  int64_t axis = -1;
  bool largest = true;
  int64_t k = -1;  // of opset 1 to 9; later an input
};

template <class Acc>
struct Candidate {
  Acc value;
  size_t index;
};

// Whether a comes before b.
template <class Acc>
struct Before {
  bool largest;
  bool operator()(const Candidate<Acc>& a, const Candidate<Acc>& b) const noexcept {
    const bool a_is_number = a.value == a.value, b_is_number = b.value == b.value;
    if (a_is_number != b_is_number) return largest != a_is_number;
    if (!a_is_number || a.value == b.value) return a.index < b.index;
    return largest ? a.value > b.value : a.value < b.value;
  }
};

template <class Acc>
struct TopKRun {
  Lines lines;
  size_t k;
  bool largest;
  size_t line_bytes;  // of scratch, for one thread

  void operator()(const RunContext& r) const {
    const DType dtype = r.inputs[0].dtype();
    const LoadRun<Acc> load = load_run<Acc>(dtype);
    const StoreRun<Acc> store = store_run<Acc>(dtype);
    const size_t bytes = element_bytes(dtype);
    const auto* from = static_cast<const std::byte*>(r.inputs[0].raw());
    std::byte* values = r.outputs[0].defined() ? static_cast<std::byte*>(r.outputs[0].mutable_raw()) : nullptr;
    int64_t* places = r.outputs.size() > 1 && r.outputs[1].defined() ? r.outputs[1].mutable_values<int64_t>().data() : nullptr;
    r.pool.for_each_with_thread(lines.count(), [&](size_t line, size_t thread) {
      auto* candidates = reinterpret_cast<Candidate<Acc>*>(r.scratch + thread * line_bytes);
      read_line(load, from + lines.start(line) * bytes, bytes, candidates);
      choose(candidates);
      const size_t first = line / lines.inner * k * lines.inner + line % lines.inner;
      core::in_pieces(k, kRunLength, [&](size_t begin, size_t count) {
        for (size_t i = begin; i < begin + count; ++i) {
          const size_t at = first + i * lines.inner;
          if (values) store(&candidates[i].value, 1, values + at * bytes);
          if (places) places[at] = to_int(candidates[i].index);
        }
      });
    });
  }

 private:
  static constexpr size_t kLongLine = size_t{1} << 16;  // shorter ones are done before an interrupt would be noticed

  void read_line(LoadRun<Acc> load, const std::byte* line, size_t bytes, Candidate<Acc>* candidates) const noexcept {
    Acc buffer[kRunLength];
    core::in_pieces(lines.size, kRunLength, [&](size_t first, size_t count) {
      load(line + first * lines.inner * bytes, static_cast<ptrdiff_t>(lines.inner), count, buffer);
      for (size_t i = 0; i < count; ++i) candidates[first + i] = {buffer[i], first + i};
    });
  }

  void choose(Candidate<Acc>* candidates) const noexcept {
    const Before<Acc> before{largest};
    if (lines.size < kLongLine) return choose_by(candidates, before);
    core::InterruptCounter interrupt;
    try {
      choose_by(candidates, [&](const Candidate<Acc>& a, const Candidate<Acc>& b) {
        interrupt.step();
        return before(a, b);
      });
    } catch (const Error&) {  // Cancelled: nobody sees the result
    }
  }

  template <class Less>
  void choose_by(Candidate<Acc>* candidates, const Less& before) const {
    if (k < lines.size) std::nth_element(candidates, candidates + k, candidates + lines.size, before);
    std::sort(candidates, candidates + k, before);
  }
};

int64_t wanted_count(const TopKSpec& spec, const BindContext& b) {
  if (spec.k >= 0) return spec.k;
  const std::vector<int64_t> k = integer_values(required(b, 1, "K"), "K");
  if (k.size() != 1) throw argument_error("K has {} elements; it must be one number", k.size());
  return k[0];
}

std::unique_ptr<Bound> bind_top_k(const TopKSpec& spec, const BindContext& b, const std::vector<bool>& wanted) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kNumbers, "X");
  const size_t axis = checked_axis(spec.axis, x.shape.size());
  const int64_t k = wanted_count(spec, b);
  if (k < 0 || k > x.shape[axis]) throw argument_error("K is {}; axis {} of X has {} elements", k, axis, x.shape[axis]);
  Shape out = x.shape;
  out[axis] = k;
  std::vector<ValueFacts> facts(wanted.size());
  if (wanted[0]) facts[0] = output(x.dtype, out);
  if (wanted.size() > 1 && wanted[1]) facts[1] = output(DType::kInt64, out);
  if (element_count(out) == 0) return make_bound(std::move(facts), [](const RunContext&) {});
  const Lines lines = lines_of(x.shape, axis);
  return with_accumulator(x.dtype, [&]<class Acc>() {
    const size_t line_bytes = core::align_up(lines.size * sizeof(Candidate<Acc>));
    auto bound = make_bound(std::move(facts), TopKRun<Acc>{lines, to_size(k), spec.largest, line_bytes});
    bound->scratch_bytes = line_bytes * static_cast<size_t>(b.threads);
    return bound;
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_top_k(const PrepareContext& context) {
  TopKSpec spec = {.axis = model::get_int(context.node, "axis", -1), .largest = model::get_int(context.node, "largest", 1) != 0};
  if (context.opset < 10) {
    spec.k = model::get_int(context.node, "k", -1);
    if (spec.k < 0) throw model_error("attribute k is {}; it must be at least 0", spec.k);
  }
  std::vector<bool> wanted;
  for (const std::string& name : context.node.output) wanted.push_back(!name.empty());
  auto prepared = make_prepared([spec, wanted](const BindContext& b) { return bind_top_k(spec, b, wanted); });
  if (context.opset < 10) return prepared;
  return make_value_driven(std::move(prepared), {.value_inputs = 0b10, .output_types = [wanted](const BindContext& b) {
                                                   std::vector<DType> types(wanted.size());
                                                   if (wanted[0]) types[0] = required(b, 0, "X").dtype;
                                                   if (wanted.size() > 1 && wanted[1]) types[1] = DType::kInt64;
                                                   return types;
                                                 }});
}

}  // namespace sardonyx::ops
