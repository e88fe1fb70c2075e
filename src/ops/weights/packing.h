// What packing a constant may use.
#pragma once

#include "core/parallel.h"

namespace sardonyx::ops {

struct Packing {
  core::ThreadPool* pool = nullptr;  // null: the calling thread alone
};

}  // namespace sardonyx::ops
