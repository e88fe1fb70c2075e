// Shape and Size. Their results are known when they are bound.
#include <algorithm>

#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

std::unique_ptr<Bound> bind_known(Tensor value) {
  class KnownBound final : public Bound {
   public:
    explicit KnownBound(Tensor known) : value_(std::move(known)) { outputs = {{value_.dtype(), value_.shape(), &value_}}; }
    void run(const RunContext& r) const override { copy_all(value_, r.outputs[0]); }

   private:
    Tensor value_;
  };
  return std::make_unique<KnownBound>(std::move(value));
}

}  // namespace

std::unique_ptr<Prepared> prepare_shape(const PrepareContext& context) {
  const int64_t first = model::get_int(context.node, "start", 0);
  const int64_t last = model::get_int(context.node, "end", std::numeric_limits<int64_t>::max());
  return make_prepared([first, last](const BindContext& b) {
    const Shape& x = required(b, 0, "data").shape;
    const int64_t rank = to_int(x.size());
    const auto place = [rank](int64_t axis) {
      return to_size(std::clamp<int64_t>(axis < 0 ? std::max(axis, -rank) + rank : axis, 0, rank));
    };
    const size_t begin = place(first), end = std::max(place(last), begin);
    return bind_known(Tensor::of<int64_t>({to_int(end - begin)}, std::span(x).subspan(begin, end - begin)));
  });
}

std::unique_ptr<Prepared> prepare_size(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) { return bind_known(Tensor::scalar(element_count(required(b, 0, "data").shape))); });
}

}  // namespace sardonyx::ops
