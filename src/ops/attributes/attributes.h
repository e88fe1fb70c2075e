// Reading attributes beyond what model.h offers: one of several words, lists of strings.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/facts.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

// The value that stands for the attribute's word; throws InvalidModel, telling all words, for another one.
template <class T>
T get_choice(const model::Node& node, std::string_view name, std::string_view fallback,
             std::initializer_list<std::pair<std::string_view, T>> choices) {
  const std::string word = model::get_string(node, name, fallback);
  std::string words;
  for (const auto& [text, value] : choices) {
    if (text == word) return value;
    words += (words.empty() ? "'" : ", '") + std::string(text) + "'";
  }
  throw model_error("attribute {} is '{}'; it must be one of {}", name, word, words);
}

// Throws InvalidModel if the attribute is there with another type.
std::vector<std::string> get_strings(const model::Node& node, std::string_view name);

// An attribute that counts something; throws InvalidModel outside [least, 2^31).
int64_t get_count(const model::Node& node, std::string_view name, int64_t fallback, int64_t least);

// An attribute that names an element type; kUndefined where it is absent or 0. Throws InvalidModel for a type outside `allowed`.
DType get_dtype(const model::Node& node, std::string_view name, DTypeSet allowed);

}  // namespace sardonyx::ops
