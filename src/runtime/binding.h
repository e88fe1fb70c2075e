// Feeds and results that stay bound from run to run: what stands behind the public IoBinding.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/plan.h"
#include "runtime/program.h"

namespace sardonyx::runtime {

// Throws InvalidArgument, with the closest name, where the program has no such output.
size_t output_index(const Program& program, std::string_view name);

class Binding {
 public:
  explicit Binding(const Program& program) : program_(program), feeds_(program.signature().inputs().size()) {}

  // Throw InvalidArgument for an unknown name; the types and shapes of feeds are checked by the next run.
  void bind_input(std::string_view name, Tensor tensor);
  void bind_output(std::string_view name, Tensor tensor);
  void clear_inputs();
  void clear_outputs();

  // In the order in which they were bound.
  const std::vector<Tensor>& outputs() const noexcept { return outputs_; }

 private:
  friend class Session;
  struct BoundOutput {
    size_t index = 0;   // of the program's outputs
    Tensor given;       // undefined: the run makes it
    size_t result = 0;  // of the plan's results
  };

  void change() noexcept { plan_.reset(); }
  // Throws InvalidArgument where the memory of an output is also that of another output or an input.
  void check_overlaps() const;

  const Program& program_;
  std::vector<std::optional<Tensor>> feeds_;  // by index of the signature's inputs
  std::vector<BoundOutput> bound_;
  std::vector<Tensor> outputs_;

  // Made by the first run after a change.
  std::shared_ptr<const Plan> plan_;
  std::vector<const Tensor*> inputs_;
  std::vector<Tensor> results_;
};

}  // namespace sardonyx::runtime
