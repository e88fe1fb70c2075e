#include "runtime/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/closest.h"

namespace sardonyx::runtime {
namespace {

bool overlap(const Tensor& a, const Tensor& b) {
  const auto has_objects = [](const Tensor& t) { return t.dtype() == DType::kString || t.dtype() == DType::kTensor; };
  if (!a.defined() || !b.defined() || has_objects(a) || has_objects(b) || a.numel() == 0 || b.numel() == 0) return false;
  const auto *a_begin = static_cast<const std::byte*>(a.raw()), *b_begin = static_cast<const std::byte*>(b.raw());
  const std::less<const std::byte*> before;
  return before(a_begin, b_begin + b.byte_size()) && before(b_begin, a_begin + a.byte_size());
}

}  // namespace

size_t output_index(const Program& program, std::string_view name) {
  const std::vector<NodeArg>& outputs = program.outputs();
  const auto found = std::ranges::find(outputs, name, &NodeArg::name);
  if (found != outputs.end()) return static_cast<size_t>(found - outputs.begin());
  std::vector<std::string_view> names;
  for (const NodeArg& output : outputs) names.push_back(output.name);
  throw Error(ErrorCode::kInvalidArgument, fmt::format("there is no output '{}'{}", name, core::closest_hint(name, names)));
}

void Binding::bind_input(std::string_view name, Tensor tensor) {
  feeds_[program_.signature().index_of(name)] = std::move(tensor);
  change();
}

void Binding::bind_output(std::string_view name, Tensor tensor) {
  if (tensor.defined() && tensor.is_read_only()) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("output '{}' is bound to a read-only tensor", name));
  }
  const size_t index = output_index(program_, name);
  const auto known = std::ranges::find(bound_, index, &BoundOutput::index);
  BoundOutput& output = known != bound_.end() ? *known : bound_.emplace_back();
  output.index = index;
  output.given = std::move(tensor);
  change();
}

void Binding::clear_inputs() {
  std::ranges::fill(feeds_, std::nullopt);
  change();
}

void Binding::clear_outputs() {
  bound_.clear();
  outputs_.clear();
  change();
}

void Binding::check_overlaps() const {
  for (size_t i = 0; i < bound_.size(); ++i) {
    if (!bound_[i].given.defined()) continue;
    const auto name = [&](size_t output) { return program_.outputs()[bound_[output].index].name; };
    for (size_t k = 0; k < inputs_.size(); ++k) {
      if (!overlap(bound_[i].given, *inputs_[k])) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("the memory of output '{}' overlaps that of input '{}'; give it memory of its own", name(i),
                              program_.signature().inputs()[k].arg.name));
    }
    for (size_t k = 0; k < i; ++k) {
      if (!overlap(bound_[i].given, bound_[k].given)) continue;
      throw Error(ErrorCode::kInvalidArgument, fmt::format("the memory of output '{}' overlaps that of output '{}'", name(i), name(k)));
    }
  }
}

}  // namespace sardonyx::runtime
