// Tests of rules as tables: a graph whose output y must get a type.
#pragma once

#include <string>
#include <vector>

#include "infer/infer_case.h"

namespace sardonyx::infer {

struct Case {
  std::string text, type;  // "(float[N,3] x) => (y) { ... }", "float[N,3]"
  int64_t opset = 27;
};

inline void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(inferred("g " + c.text, "y", c.opset), c.type) << c.text << " opset " << c.opset;
}

}  // namespace sardonyx::infer
