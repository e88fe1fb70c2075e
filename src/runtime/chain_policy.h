// When a plan runs chains of its steps by rows; see chain.h.
#pragma once

#include <cstddef>

namespace sardonyx::runtime {

struct ChainPolicy {
  bool enabled = false;
  size_t tile_rows = 0;  // for tests: chains whatever they cost, with tiles of so many rows of the last result; 0: by cost
};

}  // namespace sardonyx::runtime
