// A step whose kernel knows another element type than the node has: inputs are converted into scratch, results converted back once.
#pragma once

#include <memory>
#include <vector>

#include "ops/facts.h"

namespace sardonyx::ops {

struct Conversion {
  DTypeSet outer;  // of the node
  DType inner;     // what the step sees in their place; of whole bytes
  void (*load)(const Tensor& from, void* to, core::ThreadPool& pool);
  void (*store)(const void* from, Tensor& to, core::ThreadPool& pool);
};

// `inner` is bound to `context` with the outer types replaced, and not dynamic. Its results of the inner type become `types`, where those
// are outer types; other results stay as they are.
std::unique_ptr<Bound> make_converted(std::unique_ptr<Bound> inner, const BindContext& context, const std::vector<DType>& types,
                                      const Conversion& conversion);

}  // namespace sardonyx::ops
