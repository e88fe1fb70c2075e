// StateDict: parameter and buffer names to tensors, in insertion order, as torch's OrderedDict of a module's state.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sardonyx/tensor.h"

namespace sardonyx {

class StateDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  // Appends; an existing name keeps its place and gets the new tensor (as a Python dict does).
  void set(std::string name, Tensor tensor);
  // The tensor of that name. Throws InvalidArgument naming the closest existing names.
  const Tensor& at(std::string_view name) const;
  const Tensor* find(std::string_view name) const noexcept;  // null if absent
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace sardonyx
