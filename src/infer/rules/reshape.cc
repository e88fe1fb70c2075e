// Operators that give the same elements another shape: Reshape, Flatten, Squeeze, Unsqueeze; and Shape and Size, which tell it.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
// The same elements in row-major order, if they are followed.
void keep_elements(NodeContext& context) {
  if (std::optional<Dims> elements = elements_of(context, 0)) put_elements(context, 0, std::move(*elements));
}

// A product of sizes: what is known of it, the symbols, and whether there is more that is unknown.
struct Factors {
  Dim known = 1;
  std::vector<Dim> symbols;
  bool has_unknown = false;

  void take(Dim dim) {
    if (dim.is_known()) {
      known = multiply(known, dim);
    } else if (dim.is_symbol()) {
      symbols.push_back(dim);
    } else {
      has_unknown = true;
    }
  }
};

// whole / part, where part has the same symbols or fewer. Unknown if it cannot be told; `is_exact` tells if two known numbers leave a rest.
Dim divide(Factors whole, const Factors& part, bool& is_exact) {
  is_exact = true;
  for (const Dim symbol : part.symbols) {
    const auto found = std::find(whole.symbols.begin(), whole.symbols.end(), symbol);
    if (found == whole.symbols.end()) return {};
    whole.symbols.erase(found);
  }
  if (part.has_unknown || !part.known.is_known() || part.known.is(0) || !whole.known.is_known()) return {};
  if (whole.known.is(0)) return part.symbols.empty() ? Dim(0) : Dim();
  if (whole.has_unknown) return {};
  const bool leaves_rest = whole.known.value() % part.known.value() != 0;
  if (whole.symbols.empty()) {
    is_exact = !leaves_rest;
    return leaves_rest ? Dim() : Dim(whole.known.value() / part.known.value());
  }
  return whole.symbols.size() == 1 && whole.known == part.known ? whole.symbols.front() : Dim();
}

class Reshaping {
 public:
  Reshaping(const NodeContext& context, const Dims& target, bool allow_zero)
      : context_(context), target_(target), data_(context.shape(0)), allow_zero_(allow_zero) {}

  Dims result() {
    for (size_t i = 0; i < target_.size(); ++i) place(i);
    if (inferred_) {
      solve(*inferred_, true);
    } else if (unknown_count_ == 1) {
      solve(last_unknown_, false);
    }
    return std::move(result_);
  }

 private:
  void place(size_t i) {
    const Dim wanted = target_[i];
    if (wanted.is(-1)) {
      if (inferred_) context_.fail(fmt::format("the shape {} has more than one -1", context_.symbols().show(target_)));
      inferred_ = i;
      result_.emplace_back();
    } else if (wanted.is(0) && !allow_zero_) {
      copy(i);
    } else if (wanted.is_known() && wanted.value() < 0) {
      context_.fail(fmt::format("the shape {} has a negative size other than -1", context_.symbols().show(target_)));
    } else {
      is_target_known_ = is_target_known_ && wanted.is_known();
      append(wanted);
    }
  }

  void copy(size_t i) {
    if (data_ != nullptr && i >= data_->size()) {
      context_.fail(fmt::format("the shape {} takes over size {} of the input, whose shape is {}", context_.symbols().show(target_), i,
                                context_.symbols().show(*data_)));
    }
    if (data_ == nullptr) {
      is_target_known_ = false;
      append(Dim());
      return;
    }
    copied_.push_back(i);
    has_zero_ = has_zero_ || (*data_)[i].is(0);
    result_.push_back((*data_)[i]);
  }

  void append(Dim dim) {
    has_zero_ = has_zero_ || dim.is(0);
    if (dim.is_unknown()) {
      ++unknown_count_;
      last_unknown_ = result_.size();
    } else {
      part_.take(dim);
    }
    result_.push_back(dim);
  }

  // The size that the others leave for it. Sizes taken over from the input count on neither side.
  void solve(size_t position, bool is_demanded) {
    if (is_demanded && has_zero_ && is_target_known_) {
      context_.fail(fmt::format("the shape {} has a 0, so that -1 can be anything", context_.symbols().show(target_)));
    }
    if (data_ == nullptr || has_zero_ || (is_demanded && unknown_count_ > 0)) return;
    Factors whole;
    for (size_t i = 0; i < data_->size(); ++i) {
      if (std::find(copied_.begin(), copied_.end(), i) == copied_.end()) whole.take((*data_)[i]);
    }
    bool is_exact = true;
    result_[position] = divide(std::move(whole), part_, is_exact);
    if (!is_exact && is_demanded && is_target_known_) {
      context_.fail(
          fmt::format("an input of shape {} cannot get the shape {}", context_.symbols().show(*data_), context_.symbols().show(target_)));
    }
  }

  const NodeContext& context_;
  const Dims& target_;
  const Dims* data_;
  bool allow_zero_;
  Dims result_;
  Factors part_;  // of the result, without sizes taken over and the one looked for
  std::vector<size_t> copied_;
  std::optional<size_t> inferred_;
  size_t unknown_count_ = 0, last_unknown_ = 0;
  bool has_zero_ = false, is_target_known_ = true;
};

// The sizes from first to last that the attributes `start` and `end` ask for.
std::pair<size_t, size_t> shape_range(const NodeContext& context, size_t rank) {
  const auto bound = static_cast<int64_t>(rank);
  const auto clamp = [&](int64_t given) { return std::clamp<int64_t>(given < 0 ? given + bound : given, 0, bound); };
  const int64_t first = clamp(model::get_int(context.node(), "start", 0));
  const int64_t last = clamp(model::get_int(context.node(), "end", bound));
  return {static_cast<size_t>(first), static_cast<size_t>(std::max(first, last))};
}
}  // namespace

// Reshape: the shape is an attribute in version 1, then an input.
void infer_reshape(NodeContext& context) {
  std::optional<Dims> target;
  if (context.version() == 1) {
    const std::vector<int64_t> shape = context.ints_attribute("shape").value_or(std::vector<int64_t>());
    if (context.attribute("shape") != nullptr) target = Dims(shape.begin(), shape.end());
  } else {
    target = shape_operand(context, 1, "shape");
  }
  if (!target) return;
  context.set_shape(0, Reshaping(context, *target, model::get_int(context.node(), "allowzero", 0) != 0).result());
  keep_elements(context);
}

// Flatten: the sizes before the axis as one, and those from it on.
void infer_flatten(NodeContext& context) {
  const Dims* dims = context.shape(0);
  const int64_t given = model::get_int(context.node(), "axis", 1);
  if (dims == nullptr) {
    context.set_shape(0, Dims(2));
    return;
  }
  constexpr int kNegativeAxis = 11;
  const auto rank = static_cast<int64_t>(dims->size());
  const int64_t least = context.version() >= kNegativeAxis ? -rank : 0;
  if (given < least || given > rank) context.fail(fmt::format("axis {} is not within [{}, {}] of rank {}", given, least, rank, rank));
  const auto axis = static_cast<size_t>(given < 0 ? given + rank : given);
  context.set_shape(0, {product(std::span(*dims).first(axis)), product(std::span(*dims).subspan(axis))});
}

// Squeeze: drops the axes given, or all of size 1.
void infer_squeeze(NodeContext& context) {
  const ListOperand axes = list_operand(context, "axes", 1);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  if (axes.is_given && !axes.values) {
    if (axes.count && *axes.count <= dims->size()) context.set_shape(0, Dims(dims->size() - *axes.count));
    keep_elements(context);
    return;
  }
  std::vector<size_t> dropped;
  if (axes.is_given) {
    dropped = resolve_axes(context, *axes.values, dims->size());
  } else if (std::any_of(dims->begin(), dims->end(), [](Dim dim) { return !dim.is_known(); })) {
    return;
  }
  Dims result;
  for (size_t i = 0; i < dims->size(); ++i) {
    const Dim dim = (*dims)[i];
    const bool is_dropped = axes.is_given ? std::find(dropped.begin(), dropped.end(), i) != dropped.end() : dim.is(1);
    if (!is_dropped) {
      result.push_back(dim);
    } else if (dim.is_known() && !dim.is(1)) {
      context.fail(fmt::format("axis {} cannot be dropped: its size is {}, not 1", i, dim.value()));
    }
  }
  context.set_shape(0, std::move(result));
  keep_elements(context);
}

// Unsqueeze: axes of size 1, counted in the output.
void infer_unsqueeze(NodeContext& context) {
  const ListOperand axes = list_operand(context, "axes", 1);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  if (!axes.values) {
    if (axes.count && *axes.count <= kMaxElements) context.set_shape(0, Dims(dims->size() + *axes.count, dims->empty() ? Dim(1) : Dim()));
    return;
  }
  const size_t rank = dims->size() + axes.values->size();
  std::vector<bool> is_new(rank, false);
  for (const size_t axis : resolve_distinct_axes(context, *axes.values, rank)) is_new[axis] = true;
  Dims result;
  auto next = dims->begin();
  for (size_t i = 0; i < rank; ++i) result.push_back(is_new[i] ? Dim(1) : *next++);
  context.set_shape(0, std::move(result));
  keep_elements(context);
}

void infer_shape(NodeContext& context) {
  context.set_dtype(0, DType::kInt64);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) {
    context.set_shape(0, Dims(1));
    return;
  }
  const auto [first, last] = shape_range(context, dims->size());
  context.set_shape(0, {static_cast<int64_t>(last - first)});
  put_elements(context, 0, Dims(dims->begin() + static_cast<ptrdiff_t>(first), dims->begin() + static_cast<ptrdiff_t>(last)));
}

void infer_size(NodeContext& context) {
  context.set_dtype(0, DType::kInt64);
  context.set_shape(0, {});
  if (const Dims* dims = context.shape(0)) put_elements(context, 0, {product(*dims)});
}

}  // namespace sardonyx::infer
