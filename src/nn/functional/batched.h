// Image functions take [N, C, H, W]; PyTorch also gives them [C, H, W].
#pragma once

#include <string>
#include <string_view>

#include "nn/eager.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx::nn {

// body(input) for rank 4; for rank 3 the same on a batch of one.
template <class Body>
Tensor batched(const Tensor& input, std::string_view function, const Body& body) {
  if (input.dim() == 4) return body(input);
  if (input.dim() == 3) return squeeze(body(unsqueeze(input, 0)), 0);
  reject("Expected 3D (unbatched) or 4D (batched) input to " + std::string(function) +
         ", but got input of size: " + to_string(input.shape()));
}

}  // namespace sardonyx::nn
