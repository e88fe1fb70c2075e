// What cancel_bench measures: operators of each family, on inputs that take them long.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace cancel_bench {

struct Case {
  std::string name;
  sardonyx::model::Node node;
  std::vector<sardonyx::Tensor> inputs;  // i0, i1, ... of the node; undefined: left out
  std::vector<sardonyx::DType> outputs = {sardonyx::DType::kFloat32};
  int64_t opset = 22;
  std::string text = {};  // the model, where it is more than the node: takes the inputs
  // Inputs that the model holds, so that they are packed when a plan is made: each try then makes a session of its own.
  std::vector<bool> constant = {};
};
using MakeCase = std::function<Case()>;

std::vector<MakeCase> all_cases();

}  // namespace cancel_bench
