// The one exception type of the toolkit.
//
// Anything that input can cause (a file, a feed, an option) is thrown as sardonyx::Error. Its message reads as a trail from the outside
// to the inside, and names the cure where there is one: `model.onnx: node 'up1' (Resize, opset 18): scales has 3 entries, X has rank 4`.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace sardonyx {

enum class ErrorCode {
  kInvalidModel,     // the file or the graph breaks its specification
  kInvalidArgument,  // the caller's argument, feed or option does not fit
  kUnsupported,      // valid, but not implemented here
  kIo,               // the operating system refused to open, read or write
  kResourceLimit,    // a limit on bytes, elements, depth or memory would be exceeded
  kCancelled,        // stopped by the caller or by a deadline
  kInternal,         // a defect of this library
};

// "InvalidModel", "InvalidArgument", ...
std::string_view to_string(ErrorCode code) noexcept;

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

  // Extends the trail on the way up: "<where>: <message so far>".
  void prepend(std::string_view where) { message_ = std::string(where) + ": " + message_; }

 private:
  ErrorCode code_;
  std::string message_;
};

// Runs `body`; an Error that leaves it is extended by `where()`, which is called only then.
template <class Where, class Body>
decltype(auto) with_trail(Where&& where, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.prepend(where());
    throw;
  }
}

}  // namespace sardonyx
