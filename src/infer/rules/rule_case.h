// Tables of cases for rules: the graph's inputs, its initializers and its nodes, and what the value y must become.
#pragma once

#include <initializer_list>
#include <string>

#include "infer/infer_case.h"

namespace sardonyx::infer {

struct RuleCase {
  const char* inputs;
  const char* initializers;  // "" for none
  const char* nodes;
  const char* expected;  // y's type, or a part of the error
  int64_t opset = 27;

  std::string text() const {
    const std::string block = *initializers == '\0' ? "" : std::string("<") + initializers + "> ";
    return std::string("g (") + inputs + ") => (y) " + block + "{ " + nodes + " }";
  }
};

inline void expect_inferred(std::initializer_list<RuleCase> cases) {
  for (const RuleCase& row : cases)
    EXPECT_EQ(inferred(row.text(), "y", row.opset), row.expected) << row.text() << " of opset " << row.opset;
}

inline void expect_refused(std::initializer_list<RuleCase> cases) {
  for (const RuleCase& row : cases) {
    EXPECT_THAT(refused(row.text(), row.opset), testing::HasSubstr(row.expected)) << row.text() << " of opset " << row.opset;
  }
}

// The elements of an int64 vector, seen as the shape of what ConstantOfShape makes of them: "[2,N]".
inline std::string elements_of_vector(const char* inputs, const char* initializers, const std::string& nodes, int64_t opset = 27) {
  const std::string all = nodes + "\ny = ConstantOfShape (e)";
  const std::string type = inferred(RuleCase{inputs, initializers, all.c_str(), "", opset}.text(), "y", opset);
  return type.starts_with("float") ? type.substr(5) : type;
}

}  // namespace sardonyx::infer
