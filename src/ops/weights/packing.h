// What packing a constant may use.
#pragma once

#include "core/parallel.h"

namespace sardonyx::ops {

class WeightCache;

struct Packing {
  core::ThreadPool* pool = nullptr;  // null: the calling thread alone
  WeightCache* cache = nullptr;      // packed weights that an earlier session kept; null: none
};

}  // namespace sardonyx::ops
