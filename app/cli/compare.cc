#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/closeness.h"
#include "cli/command.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string a, b;
  Tolerance tolerance{1e-3, 1e-5};
};

int compare(const Arguments& arguments) {
  const Closeness result = compare_tensors(load_tensor(arguments.a), load_tensor(arguments.b), arguments.tolerance);
  print(result.describe() + "\n");
  return result.close ? 0 : 1;
}
}  // namespace

void add_compare(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("compare", "Compares two tensors: |A - B| <= atol + rtol |B| for every element. Exit status: 0 if so.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("A", arguments->a, "A .npy or .pb file")->required();
  command->add_option("B", arguments->b, "What it should be")->required();
  command->add_option("--rtol", arguments->tolerance.rtol, "Relative tolerance")->capture_default_str();
  command->add_option("--atol", arguments->tolerance.atol, "Absolute tolerance")->capture_default_str();
  command->callback([arguments, &status] { status = compare(*arguments); });
}

}  // namespace sardonyx::cli
