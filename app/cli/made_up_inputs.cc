#include "cli/made_up_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "cli/command.h"

namespace sardonyx::cli {

namespace {
void require_input(const InferenceSession& session, const std::string& name, std::string_view option) {
  const auto& inputs = session.inputs();
  if (std::ranges::any_of(inputs, [&](const NodeArg& input) { return input.name == name; })) return;
  std::string names;
  for (const NodeArg& input : inputs) names += (names.empty() ? "'" : ", '") + input.name + "'";
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: the model has no input '{}'; it has {}", option, name, names.empty() ? "none" : names));
}

// The values of NAME=VALUE options, by the names of inputs.
std::vector<std::pair<std::string, std::string>> assignments(const InferenceSession& session, const std::vector<std::string>& texts,
                                                             std::string_view form, std::string_view option) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string& text : texts) {
    result.push_back(split_assignment(text, form));
    require_input(session, result.back().first, option);
  }
  return result;
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& assignments, const std::string& name) {
  const auto found = std::ranges::find_if(assignments, [&](const auto& entry) { return entry.first == name; });
  return found == assignments.end() ? nullptr : &found->second;
}

// Declared sizes; those not fixed come from --shape.
Shape input_shape(const NodeArg& input, const std::string* given) {
  if (given) return parse_shape(*given);
  Shape shape;
  const std::optional<std::vector<NodeArg::Axis>> axes = input.shape();
  for (const NodeArg::Axis& axis : axes.value_or(std::vector<NodeArg::Axis>{})) {
    if (const int64_t* size = std::get_if<int64_t>(&axis)) shape.push_back(*size);
  }
  if (axes && shape.size() == axes->size()) return shape;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the shape of {} is not fixed by the model; give it: --shape {}=1x3x224x224, or its symbols: --dim SYMBOL=N",
                          to_string(input), input.name));
}

Tensor random_tensor(const Shape& shape, DType dtype, std::mt19937& random) {
  if (dtype == DType::kString) throw Error(ErrorCode::kUnsupported, "strings cannot be made up; give a file: --input NAME=FILE");
  Tensor reals(shape, DType::kFloat32);
  const bool real = is_floating_point(dtype);
  for (float& value : reals.mutable_values<float>()) {
    const auto bits = static_cast<float>(random() >> 8) * 0x1p-24f;
    value = real ? 2 * bits - 1 : static_cast<float>(static_cast<int>(bits * (dtype == DType::kBool ? 2 : 100)));
  }
  return reals.to(dtype);
}
}  // namespace

void InputOptions::add_options(CLI::App& command) {
  command.add_option("--shape", shapes, "NAME=DxDxD, the size of an input whose axes are not fixed; may be given more than once")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
  command.add_option("--dim", dims, "SYMBOL=N, the size that a symbol of the model's shapes stands for; may be given more than once")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
  command.add_option("--input", files, "NAME=FILE, a .npy or .pb file for an input; the others are made up")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
}

std::vector<std::pair<std::string, int64_t>> InputOptions::dim_sizes() const {
  std::vector<std::pair<std::string, int64_t>> sizes;
  for (const std::string& text : dims) {
    const auto [symbol, size] = split_assignment(text, "SYMBOL=N");
    const Shape shape = parse_shape(size);
    if (shape.size() != 1) throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' does not read as SYMBOL=N", text));
    sizes.emplace_back(symbol, shape[0]);
  }
  return sizes;
}

Feeds make_feeds(const InferenceSession& session, const InputOptions& options) {
  const auto shapes = assignments(session, options.shapes, "NAME=DxDxD", "--shape");
  const auto files = assignments(session, options.files, "NAME=FILE", "--input");
  Feeds feeds;
  std::mt19937 random(0);
  for (const NodeArg& input : session.inputs()) {
    const model::TensorType* type = input.type.tensor();
    if (const std::string* file = find(files, input.name)) {
      feeds.emplace_back(input.name, load_value(*file, input.type));
    } else if (type == nullptr) {
      throw Error(ErrorCode::kUnsupported, fmt::format("{} cannot be made up; give a file: --input {}=FILE", to_string(input), input.name));
    } else {
      feeds.emplace_back(input.name, random_tensor(input_shape(input, find(shapes, input.name)), type->dtype(), random));
    }
  }
  return feeds;
}

InputShapes make_shapes(const InferenceSession& session, const InputOptions& options) {
  const auto shapes = assignments(session, options.shapes, "NAME=DxDxD", "--shape");
  const auto files = assignments(session, options.files, "NAME=FILE", "--input");
  InputShapes result;
  for (const NodeArg& input : session.inputs()) {
    if (input.type.tensor() == nullptr) continue;
    const std::string* file = find(files, input.name);
    result.emplace_back(input.name, file ? load_tensor(*file).shape() : input_shape(input, find(shapes, input.name)));
  }
  return result;
}

}  // namespace sardonyx::cli
