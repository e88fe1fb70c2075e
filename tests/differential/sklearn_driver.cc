// Runs models for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   run MODEL FOLDER INPUT VALUE [INPUT VALUE ...]
// A VALUE is the file of a TensorProto, or values in brackets, separated by spaces: a sequence, or the keys and the values of a map.
// The outputs are written in the same form, a line for each, to FOLDER/outputs; the files of tensors are in FOLDER.
#include <filesystem>

#include "job_loop.h"
#include "sardonyx/session.h"

namespace {

namespace model = sardonyx::model;
using sardonyx::DType;
using sardonyx::Tensor;

Tensor read_value(std::istream& words) {
  std::string word;
  words >> word;
  if (word != "[") return model::decode(model::read_tensor(word));
  std::vector<Tensor> items;
  while ((words >> std::ws).peek() != ']') items.push_back(read_value(words));
  words >> word;
  return Tensor::of_tensors(std::move(items));
}

class ValueWriter {
 public:
  explicit ValueWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::string write(const Tensor& value) {
    if (value.dtype() != DType::kTensor) {
      const std::string name = std::to_string(count_++);
      model::write_tensor(model::encode(value), folder_ / name);
      return name;
    }
    std::string text = "[ ";
    for (const Tensor& item : value.tensors()) text += write(item) + ' ';
    return text + ']';
  }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

void run(const sardonyx::differential::Job& job) {
  if (job.at(0) != "run") throw sardonyx::Error(sardonyx::ErrorCode::kInvalidArgument, "no job '" + job[0] + "'");
  const sardonyx::InferenceSession session(job.at(1));
  sardonyx::Feeds feeds;
  for (size_t i = 3; i + 1 < job.size(); i += 2) {
    std::istringstream words(job[i + 1]);
    feeds.emplace_back(job[i], read_value(words));
  }
  ValueWriter writer(job.at(2));
  std::string text;
  for (const Tensor& output : session.run(feeds)) text += writer.write(output) + '\n';
  sardonyx::differential::write_file(job[2] + "/outputs", text);
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
