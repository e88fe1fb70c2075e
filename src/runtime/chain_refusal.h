// Why steps of a plan are no chain: noted as numbers when the plan is made, told in reports.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/program.h"

namespace sardonyx::runtime {

// Whether a run of steps pays as a chain.
struct ChainVerdict {
  enum class Kind {
    kPays,
    kAlone,          // one step, which could begin a chain
    kWhole,          // one step, which cannot be in a chain
    kFitsCache,      // each value between them does
    kReadOutside,    // so are the values between them that do not fit the cache
    kFewRows,        // no two bands
    kBandsTooLarge,  // even the lowest
    kCosts           // more than it saves
  };

  std::string text() const;

  Kind kind = Kind::kPays;
  size_t largest = 0;                    // bytes of the largest value between them; of one step, of what it makes
  size_t budget = 0;                     // bytes that all bands may take
  size_t tile_rows = 0, band_bytes = 0;  // of the lowest bands
  double saved_traffic = 0, costs = 0;   // bytes; what calls and constants cost, as bytes that could go through memory meanwhile
};

// What ends a run of steps that compute by rows.
struct ChainStop {
  const ProgramNode* node = nullptr;  // the next step; null: there is none, or it begins a chain
  const char* reason = "";            // a literal; "": its kernel does not compute by rows
  std::string kernel = {};

  std::string text() const;  // "node 'r' (Resize, opset 18): its kernel filter does not compute by rows"; "" without a node
};

// Steps between chains; indexes of the plan's steps, both included.
struct ChainGap {
  size_t first = 0, last = 0;
  ChainVerdict verdict;
  ChainStop stop;
};

}  // namespace sardonyx::runtime
