// Finds out which element types operators really run with: by running the single-node models of ONNX test folders with other types.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/operators.h"

namespace sardonyx::cli {

class OperatorProbe {
 public:
  struct Findings {
    std::map<std::string, std::set<DType>> types;  // by constraint
    std::set<std::string> kernels;                 // that were chosen
    bool ran = false;
  };

  explicit OperatorProbe(const std::vector<OperatorInfo>& operators);
  // Tries every type that ONNX allows and that is not known to run yet. Models of more than one node are passed over.
  void try_folder(const std::filesystem::path& folder);
  const Findings& of(const OperatorInfo& info) const { return findings_.at({info.domain, info.name}); }

 private:
  using Key = std::pair<std::string, std::string>;
  struct Call;

  void try_types(const Call& call, const TypeConstraint& constraint);
  void try_output_types(const Call& call, const TypeConstraint& constraint);

  std::map<Key, const OperatorInfo*> operators_;
  std::map<Key, Findings> findings_;
};

}  // namespace sardonyx::cli
