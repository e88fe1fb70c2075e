// Reads and writes models and tensors for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   roundtrip IN OUT          a model, parsed and serialised; external data is left alone
//   tensor IN OUT             a TensorProto, likewise
//   inside IN OUT             a model with its external data, written as one file
//   outside IN OUT DATA       a model, its initializers of at least 16 bytes written to the file DATA beside it
//   decode IN OUT             the elements of a TensorProto
//   initializer IN NAME OUT   the elements of one initializer of a model
// Elements are written as a line "TYPE SIZE..." and the bytes of the tensor; a string as its length in 8 bytes and its text.
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "job_loop.h"
#include "sardonyx/model.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::Tensor;
using sardonyx::differential::read_file;
using sardonyx::differential::write_file;
namespace model = sardonyx::model;

std::string elements(const Tensor& tensor) {
  std::ostringstream out;
  out << sardonyx::to_string(tensor.dtype());
  for (const int64_t size : tensor.shape()) out << ' ' << size;
  out << '\n';
  if (tensor.dtype() != sardonyx::DType::kString) {
    out.write(static_cast<const char*>(tensor.raw()), static_cast<std::streamsize>(tensor.byte_size()));
    return out.str();
  }
  for (const std::string& text : tensor.strings()) {
    const uint64_t size = text.size();
    char prefix[sizeof(size)];
    std::memcpy(prefix, &size, sizeof(size));
    out.write(prefix, sizeof(prefix));
    out << text;
  }
  return out.str();
}

const model::TensorData& initializer(const model::Model& from, const std::string& name) {
  const model::TensorData* found = from.graph.find_initializer(name);
  if (found == nullptr) throw Error(ErrorCode::kInvalidArgument, "no initializer '" + name + "'");
  return *found;
}

void run(const std::vector<std::string>& job) {
  const std::string& verb = job.at(0);
  const model::ReadOptions alone{.limits = {}, .external_data = false};
  if (verb == "roundtrip") {
    write_file(job.at(2), serialize(model::read_model(job.at(1), alone)));
  } else if (verb == "tensor") {
    write_file(job.at(2), serialize(model::parse_tensor(read_file(job.at(1)), nullptr)));
  } else if (verb == "inside") {
    write_model(model::read_model(job.at(1)), job.at(2));
  } else if (verb == "outside") {
    write_model(model::read_model(job.at(1)), job.at(2), {.external_file = job.at(3), .external_threshold = 16});
  } else if (verb == "decode") {
    write_file(job.at(2), elements(decode(model::parse_tensor(read_file(job.at(1)), nullptr))));
  } else if (verb == "initializer") {
    const model::Model from = model::read_model(job.at(1));
    write_file(job.at(3), elements(decode(initializer(from, job.at(2)))));
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
