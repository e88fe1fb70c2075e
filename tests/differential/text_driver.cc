// Prints models as text and parses texts for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   print IN TEXT        a model as text; external data is left alone
//   parse TEXT OUT       a text as a model
//   roundtrip IN OUT     a model, printed and parsed again; an error unless it is semantically equal, and prints the same
//   equal IN IN          an error unless two models are semantically equal
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "job_loop.h"
#include "sardonyx/text.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::differential::read_file;
using sardonyx::differential::write_file;
namespace model = sardonyx::model;

model::Model read(const std::string& path) { return model::read_model(path, {.limits = {}, .external_data = false}); }

void expect_equal(const model::Model& a, const model::Model& b) {
  if (!semantically_equal(a, b)) throw Error(ErrorCode::kInternal, "the models differ");
}

void round_trip(const std::string& in, const std::string& out) {
  const model::Model before = read(in);
  const std::string text = to_text(before);
  const model::Model after = model::parse_text_model(text);
  expect_equal(before, after);
  if (to_text(after) != text) throw Error(ErrorCode::kInternal, "the texts differ");
  write_file(out, serialize(after));
}

void run(const std::vector<std::string>& job) {
  const std::string& verb = job.at(0);
  if (verb == "print") {
    write_file(job.at(2), to_text(read(job.at(1))));
  } else if (verb == "parse") {
    write_file(job.at(2), serialize(model::parse_text_model(read_file(job.at(1)))));
  } else if (verb == "roundtrip") {
    round_trip(job.at(1), job.at(2));
  } else if (verb == "equal") {
    expect_equal(read(job.at(1)), read(job.at(2)));
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
