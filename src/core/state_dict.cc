#include "sardonyx/state_dict.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/closest.h"

namespace sardonyx {

void StateDict::set(std::string name, Tensor tensor) {
  const auto [place, fresh] = index_.try_emplace(name, entries_.size());
  if (fresh) {
    entries_.emplace_back(std::move(name), std::move(tensor));
  } else {
    entries_[place->second].second = std::move(tensor);
  }
}

const Tensor* StateDict::find(std::string_view name) const noexcept {
  const auto place = index_.find(std::string(name));
  return place == index_.end() ? nullptr : &entries_[place->second].second;
}

const Tensor& StateDict::at(std::string_view name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  std::vector<std::string_view> names;
  for (const Entry& entry : entries_) names.push_back(entry.first);
  throw Error(ErrorCode::kInvalidArgument, fmt::format("the state dict has no '{}'{}", name, core::closest_hint(name, names)));
}

}  // namespace sardonyx
