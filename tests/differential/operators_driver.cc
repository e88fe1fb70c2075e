// Runs small models on given inputs for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   run CASES RESULTS
// Both files are lists of blocks: a length (uint32, little-endian) and that many bytes. A count is a block of four bytes.
// A case is the model (ModelProto), the number of inputs, and each input (TensorProto, its name that of the model's input).
// A result is the number of outputs and each output (TensorProto); or kRefused for the number, and the error's text.
// The results are written after each case, so that what a crash leaves tells which case it was.
#include <cstdint>
#include <string>
#include <string_view>

#include "job_loop.h"
#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
namespace model = sardonyx::model;

constexpr uint32_t kRefused = 0xFFFFFFFF;

std::string bytes_of(uint32_t number) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(number >> shift & 0xFF));
  return bytes;
}

uint32_t number_of(std::string_view bytes) {
  if (bytes.size() < 4) throw Error(ErrorCode::kInvalidArgument, "the file of cases ends within a number");
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number |= uint32_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  return number;
}

class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  std::string_view block() {
    const uint32_t size = number_of(rest_);
    if (rest_.size() - 4 < size) throw Error(ErrorCode::kInvalidArgument, "the file of cases ends within a block");
    const std::string_view block = rest_.substr(4, size);
    rest_.remove_prefix(4 + size_t{size});
    return block;
  }
  uint32_t number() { return number_of(block()); }

 private:
  std::string_view rest_;
};

std::string block_of(std::string_view bytes) { return bytes_of(static_cast<uint32_t>(bytes.size())).append(bytes); }

// The blocks of the result. All of the case's blocks are read, even if the model is refused.
std::string run_case(BlockReader& cases, const sardonyx::SessionOptions& options) {
  const std::string_view bytes = cases.block();
  std::vector<std::string_view> inputs(cases.number());
  for (std::string_view& input : inputs) input = cases.block();
  try {
    const auto session = sardonyx::InferenceSession::from_bytes(bytes, nullptr, options);
    sardonyx::Feeds feeds;
    for (const std::string_view input : inputs) {
      const model::TensorData data = model::parse_tensor(input, nullptr);
      feeds.emplace_back(data.name, decode(data));
    }
    const std::vector<sardonyx::Tensor> outputs = session.run(feeds);
    std::string result = block_of(bytes_of(static_cast<uint32_t>(outputs.size())));
    for (const sardonyx::Tensor& output : outputs) result += block_of(model::serialize(model::encode(output)));
    return result;
  } catch (const Error& error) {
    return block_of(bytes_of(kRefused)) + block_of(std::string(to_string(error.code())) + ": " + error.what());
  }
}

void run(const sardonyx::differential::Job& job) {
  static const auto pool = sardonyx::make_thread_pool(1);
  if (job.at(0) != "run") throw Error(ErrorCode::kInvalidArgument, "no job '" + job.at(0) + "'");
  sardonyx::SessionOptions options;
  options.thread_pool = pool;
  const std::string bytes = sardonyx::differential::read_file(job.at(1));
  std::ofstream results(job.at(2), std::ios::binary);
  for (BlockReader cases(bytes); !cases.done();) {
    const std::string result = run_case(cases, options);
    results.write(result.data(), static_cast<std::streamsize>(result.size()));
    if (!results.flush()) throw Error(ErrorCode::kIo, "cannot write " + job.at(2));
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
