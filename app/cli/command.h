// What the commands of the program share: each file of this folder adds its own to the program.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/custom_op.h"
#include "sardonyx/session.h"
#include "sardonyx/tensor.h"

namespace sardonyx::cli {

// Each adds a subcommand whose callback does the work and sets `status`, the exit status, where it is not 0.
void add_superres(CLI::App& app, int& status);
void add_export(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_info(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_compare(CLI::App& app, int& status);
void add_test(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_print(CLI::App& app, int& status);
void add_parse(CLI::App& app, int& status);
void add_extract(CLI::App& app, int& status);
void add_merge(CLI::App& app, int& status);
void add_rename(CLI::App& app, int& status);
void add_shape(CLI::App& app, int& status);
void add_inline(CLI::App& app, int& status);
void add_compare_models(CLI::App& app, int& status);
void add_convert(CLI::App& app, int& status);
void add_infer(CLI::App& app, int& status);
void add_operators(CLI::App& app, int& status);
void add_explain(CLI::App& app, int& status);
void add_diff(CLI::App& app, int& status);
void add_optimize(CLI::App& app, int& status);

// Standard output, with an error where it cannot be written.
void print(std::string_view text);

// "NAME=VALUE" split at the first '='; throws InvalidArgument that quotes `form`, what the option takes.
std::pair<std::string, std::string> split_assignment(const std::string& text, std::string_view form);
// "1x3x224x224" or "1,3,224,224"; throws InvalidArgument.
Shape parse_shape(const std::string& text);
// A tensor from a .npy file or an ONNX TensorProto (.pb), by its extension.
Tensor load_tensor(const std::filesystem::path& path);
// A value of that type: of tensors as load_tensor, of sequences, maps and optionals a .pb file of their ONNX message.
Tensor load_value(const std::filesystem::path& path, const model::Type& type);

// How much the graph is rewritten: the same two options in every command that loads a model to run it.
struct RewriteOptions {
  std::string level = "all";  // "none", "basic", "extended", "all"
  std::vector<std::string> without;

  void add_options(CLI::App& command);  // --optimize, --without
  // The same under other names; `whose` ends the help: " of B".
  void add_options(CLI::App& command, const std::string& optimize, const std::string& without_name, const std::string& whose);
  GraphOptimizationLevel graph_level() const;
  void set(SessionOptions& options) const;
};

// Adds --threads; 0: as many as this process may use.
void add_threads_option(CLI::App& command, int& threads);

// Adds --profile, which takes the file to write.
void add_profile_option(CLI::App& command, std::string& path);

// Adds --custom-ops, which takes shared libraries, to a command.
void add_custom_ops_option(CLI::App& command, std::vector<std::string>& libraries);
// The operators of these libraries; null if there are none.
std::shared_ptr<const CustomOps> load_custom_ops(const std::vector<std::string>& libraries);

// "1 thread", "2 threads"
std::string count_of(size_t count, std::string_view what);
// "3.2 MB"
std::string human_bytes(double bytes);

// A line on standard error that is overwritten, where that is a terminal; nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  void show(std::string_view state);

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
};

}  // namespace sardonyx::cli
