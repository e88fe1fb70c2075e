// The operators that sessions of this build run.
#pragma once

#include <string>
#include <vector>

#include "sardonyx/dtype.h"

namespace sardonyx {

// A type variable of an operator ("T"), or an input of one type only ("tensor(int64)").
struct TypeConstraint {
  std::string name;
  std::vector<size_t> inputs;   // formal inputs of it; the last of a variadic operator stands for all that follow
  std::vector<size_t> outputs;  // likewise
  std::vector<DType> allowed;   // element types of tensors that ONNX allows, ascending
};

struct OperatorInfo {
  std::string domain;  // "" is ai.onnx
  std::string name;
  std::vector<int> versions;  // of the operator, that run here, ascending: a model that imports 12 means the latest not after 12
  std::vector<TypeConstraint> constraints;  // of the latest version; none for operators outside ONNX
};

// Sorted by domain and name.
std::vector<OperatorInfo> supported_operators();

}  // namespace sardonyx
