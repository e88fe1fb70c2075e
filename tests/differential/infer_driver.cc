// Infers types and shapes for a test in another language, many models in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   infer IN OUT     lenient: what can be inferred; the problems are not told
//   strict IN OUT    an error at the first contradiction
//   static IN OUT    lenient, without following the elements of integer tensors
#include "job_loop.h"
#include "sardonyx/infer.h"

namespace {

namespace model = sardonyx::model;
using sardonyx::differential::write_file;

void run(const sardonyx::differential::Job& job) {
  const std::string& verb = job.at(0);
  sardonyx::InferOptions options;
  if (verb == "strict") {
    options.strict = true;
  } else if (verb == "static") {
    options.data_propagation = false;
  } else if (verb != "infer") {
    throw sardonyx::Error(sardonyx::ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
  model::Model model = model::read_model(job.at(1), {.limits = {}, .external_data = false});
  sardonyx::infer_shapes(model, options);
  write_file(job.at(2), serialize(model));
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
