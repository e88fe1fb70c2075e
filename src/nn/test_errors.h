// For tests: what an Error said.
#pragma once

#include <optional>
#include <string>

#include "sardonyx/error.h"

namespace sardonyx::nn {

// The message of the Error that body() throws; a note of its absence if it throws none, or of its code if that is not the wanted one.
template <class Body>
std::string error_of(const Body& body, ErrorCode wanted) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == wanted) return error.what();
    return "code " + std::string(to_string(error.code())) + " instead of " + std::string(to_string(wanted)) + ": " + error.what();
  }
  return "no error";
}

template <class Body>
std::string error_of(const Body& body) {
  return error_of(body, ErrorCode::kInvalidArgument);
}

}  // namespace sardonyx::nn
