// Edits models for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...". Lists are
// separated by '|', pairs are OLD=NEW at the last '=':
//   extract IN OUT INPUTS OUTPUTS     extract_model
//   prefix IN OUT PREFIX WHICH        add_prefix; WHICH lists what gets it: nodes, values, inputs, outputs, initializers, functions
//   merge A B OUT PAIRS PREFIX_A PREFIX_B
//   rename IN OUT PAIRS               values
//   inline IN OUT                     inline_functions
//   batch IN OUT SYMBOL               set_batch, replacing what is declared
//   equal A B [names]                 an error unless diff_models finds nothing; names: these ignored
//   differ A B TEXT                   an error unless diff_models finds exactly one difference, which holds TEXT
#include <string>
#include <vector>

#include "job_loop.h"
#include "sardonyx/edit.h"

namespace {

using namespace sardonyx;
using sardonyx::differential::write_file;

using Job = sardonyx::differential::Job;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream rest(text);
  for (std::string part; std::getline(rest, part, '|');) parts.push_back(part);
  return parts;
}

IoMap pairs(const std::string& text) {
  IoMap result;
  for (const std::string& part : split(text)) result.emplace_back(part.substr(0, part.rfind('=')), part.substr(part.rfind('=') + 1));
  return result;
}

std::string word(const Job& job, size_t index) { return index < job.size() ? job[index] : ""; }

model::Model prefixed(model::Model model, const Job& job) {
  PrefixOptions which{false, false, false, false, false, false, false};
  for (const std::string& name : split(word(job, 4))) {
    (name == "nodes"          ? which.nodes
     : name == "values"       ? which.values
     : name == "inputs"       ? which.inputs
     : name == "outputs"      ? which.outputs
     : name == "initializers" ? which.initializers
                              : which.functions) = true;
  }
  add_prefix(model, job.at(3), which);
  return model;
}

model::Model renamed(model::Model model, const std::string& list) {
  Renames renames;
  for (const auto& [from, to] : pairs(list)) renames.values[from] = to;
  rename(model, renames);
  return model;
}

model::Model batched(model::Model model, const std::string& symbol) {
  set_batch(model, model::Dimension(symbol), {.replace = true});
  return model;
}

void compare(const Job& job) {
  const bool one = job.at(0) == "differ";
  const DiffOptions options{.ignore_names = !one && word(job, 3) == "names"};
  const DiffReport report = diff_models(model::read_model(job.at(1)), model::read_model(job.at(2)), options);
  const std::string text = to_string(report);
  const bool expected = one ? report.differences.size() == 1 && text.find(job.at(3)) != std::string::npos : report.equal();
  if (!expected) throw Error(ErrorCode::kInternal, text);
}

void run(const Job& job) {
  const std::string& verb = job.at(0);
  if (verb == "equal" || verb == "differ") return compare(job);
  const model::Model in = model::read_model(job.at(1));
  if (verb == "merge") {
    const model::Model second = model::read_model(job.at(2));
    model::write_model(merge_models(in, second, pairs(word(job, 4)), {.prefix_a = word(job, 5), .prefix_b = word(job, 6)}), job.at(3));
    return;
  }
  const std::string& out = job.at(2);
  if (verb == "extract") {
    model::write_model(extract_model(in, split(job.at(3)), split(job.at(4))), out);
  } else if (verb == "prefix") {
    model::write_model(prefixed(in, job), out);
  } else if (verb == "rename") {
    model::write_model(renamed(in, job.at(3)), out);
  } else if (verb == "inline") {
    model::write_model(inline_functions(in), out);
  } else if (verb == "batch") {
    model::write_model(batched(in, job.at(3)), out);
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
