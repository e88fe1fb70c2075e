// For tests: what an Error said.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sardonyx/error.h"

namespace sardonyx {

// The message of the Error that body() must throw. The test fails if it throws none, or one of another category.
template <class Body>
std::string error_of(const Body& body, ErrorCode wanted = ErrorCode::kInvalidArgument) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(wanted)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "no error";
}

template <class Body>
std::string message_of(ErrorCode wanted, const Body& body) {
  return error_of(body, wanted);
}

}  // namespace sardonyx
