#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "sardonyx/npy.h"
#include "sardonyx/session.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model;
  std::vector<std::string> inputs, outputs, custom_ops;
  std::string output_dir = ".";
  int threads = 0;
  RewriteOptions rewrites;
  std::string profile;
};

// The declared type of an input; that of any tensor where there is no such input, which the session then reports.
model::Type type_of(const InferenceSession& session, const std::string& name) {
  for (const NodeArg& input : session.inputs()) {
    if (input.name == name) return input.type;
  }
  return model::Type::of_tensor(DType::kFloat32);
}

// A tensor to NAME.npy, the items of a sequence to NAME_0.npy and so on, keys and values of a map to NAME_0.npy and NAME_1.npy.
void write_value(const std::filesystem::path& folder, const std::string& name, const Tensor& value) {
  if (!value.defined()) {
    print(fmt::format("{}: an empty optional, no file\n", name));
  } else if (value.dtype() == DType::kTensor) {
    print(fmt::format("{}: {} items\n", name, value.numel()));
    for (size_t i = 0; i < value.tensors().size(); ++i) write_value(folder, fmt::format("{}_{}", name, i), value.tensors()[i]);
  } else {
    std::string file = name + ".npy";
    std::replace(file.begin(), file.end(), '/', '_');
    const std::filesystem::path path = folder / file;
    save_npy(path, value);
    print(fmt::format("{}: {} {}\n", path.string(), type_string(value.dtype()), to_string(value.shape())));
  }
}

int run(const Arguments& arguments) {
  SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  arguments.rewrites.set(options);
  options.custom_ops = load_custom_ops(arguments.custom_ops);
  options.profile_path = arguments.profile;
  InferenceSession session(arguments.model, options);
  Feeds feeds;
  for (const std::string& text : arguments.inputs) {
    const auto [name, file] = split_assignment(text, "NAME=FILE");
    feeds.emplace_back(name, load_value(file, type_of(session, name)));
  }
  std::vector<std::string> names = arguments.outputs;
  if (names.empty()) {
    for (const NodeArg& output : session.outputs()) names.push_back(output.name);
  }
  const std::vector<Tensor> results = session.run(names, feeds);
  session.end_profiling();
  std::filesystem::create_directories(arguments.output_dir);
  for (size_t i = 0; i < names.size(); ++i) write_value(arguments.output_dir, names[i], results[i]);
  return 0;
}
}  // namespace

void add_run(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("run",
                         "Runs a model on given inputs and writes each output NAME to NAME.npy ('/' becomes '_'), a sequence "
                         "item by item to NAME_0.npy, NAME_1.npy and so on, a map to NAME_0.npy (keys) and NAME_1.npy (values).");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--input", arguments->inputs,
                      "NAME=FILE, a .npy or .pb file (.pb for a sequence, map or optional); once for each input");
  command->add_option("--output", arguments->outputs, "Outputs to compute; all if none is named");
  command->add_option("--output-dir", arguments->output_dir, "Where outputs are written")->capture_default_str();
  add_threads_option(*command, arguments->threads);
  arguments->rewrites.add_options(*command);
  add_profile_option(*command, arguments->profile);
  add_custom_ops_option(*command, arguments->custom_ops);
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace sardonyx::cli
