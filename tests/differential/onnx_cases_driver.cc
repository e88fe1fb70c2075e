// Does what the onnx package's checker, shape inference, parser, printer and version converter do, for that package's own tests.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   check IN plain|full                         an error with the first problem of an invalid model
//   infer IN OUT strict|lenient propagate|static
//   parse model|graph|node|function TEXT OUT    what is no model comes as the only one of its kind in a model
//   print model|graph|node|function IN TEXT
//   convert IN OPSET OUT
#include "job_loop.h"
#include "sardonyx/check.h"
#include "sardonyx/convert.h"
#include "sardonyx/infer.h"
#include "sardonyx/text.h"

namespace {

namespace model = sardonyx::model;
using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::differential::Job;
using sardonyx::differential::read_file;
using sardonyx::differential::write_file;

model::Model read(const std::string& path) { return model::read_model(path, {.limits = {}, .external_data = false}); }

void check(const Job& job) {
  sardonyx::CheckOptions options;
  options.full = job.at(2) == "full";
  const sardonyx::CheckReport report = sardonyx::check_model(read(job.at(1)), options);
  for (const sardonyx::Problem& problem : report.problems) {
    if (problem.severity == sardonyx::Severity::kError) {
      throw Error(ErrorCode::kInvalidModel, std::string(problem.code) + ": " + problem.where + ": " + problem.message);
    }
  }
}

void infer(const Job& job) {
  model::Model model = read(job.at(1));
  sardonyx::InferOptions options;
  options.strict = job.at(3) == "strict";
  options.data_propagation = job.at(4) == "propagate";
  sardonyx::infer_shapes(model, options);
  write_file(job.at(2), serialize(model));
}

void parse(const Job& job) {
  const std::string text = read_file(job.at(2));
  const std::string& kind = job.at(1);
  model::Model model;
  if (kind == "model") {
    model = model::parse_text_model(text);
  } else if (kind == "function") {
    model.functions.push_back(model::parse_text_function(text));
  } else if (kind == "graph") {
    model.graph = model::parse_text_graph(text);
    model.has_graph = true;
  } else {
    model.graph.node.push_back(model::parse_text_node(text));
    model.has_graph = true;
  }
  write_file(job.at(3), serialize(model));
}

void print(const Job& job) {
  const model::Model model = read(job.at(2));
  const std::string& kind = job.at(1);
  write_file(job.at(3), kind == "model"      ? to_text(model)
                        : kind == "function" ? to_text(model.functions.at(0))
                        : kind == "graph"    ? to_text(model.graph)
                                             : to_text(model.graph.node.at(0)));
}

void run(const Job& job) {
  const std::string& verb = job.at(0);
  if (verb == "check") {
    check(job);
  } else if (verb == "infer") {
    infer(job);
  } else if (verb == "parse") {
    parse(job);
  } else if (verb == "print") {
    print(job);
  } else if (verb == "convert") {
    write_file(job.at(3), serialize(sardonyx::convert_version(read(job.at(1)), std::stoll(job.at(2)))));
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
