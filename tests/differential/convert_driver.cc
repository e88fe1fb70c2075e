// Converts models between opsets for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   convert IN OPSET OUT    a model in another opset; external data is left alone
#include <string>
#include <vector>

#include "job_loop.h"
#include "sardonyx/convert.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::differential::write_file;
namespace model = sardonyx::model;

void run(const std::vector<std::string>& job) {
  if (job.at(0) != "convert") throw Error(ErrorCode::kInvalidArgument, "no job '" + job.at(0) + "'");
  try {
    const model::Model original = model::read_model(job.at(1), {.limits = {}, .external_data = false});
    write_file(job.at(3), serialize(sardonyx::convert_version(original, std::stoll(job.at(2)))));
  } catch (const Error& error) {
    throw Error(error.code(), std::string(to_string(error.code())) + ": " + error.what());
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
