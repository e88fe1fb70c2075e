// The program `sardonyx`. Exit status: 0 done, 1 the work failed, 2 the command line or the input could not be read.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include "cli/command.h"
#include "sardonyx/error.h"
#include "sardonyx/version.h"

namespace {
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int complain(std::string_view message) {
  std::fputs(fmt::format("sardonyx: {}\n", message).c_str(), stderr);
  return kFailed;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The ONNX toolkit for C++: load PyTorch weights, export, check and run ONNX models.", "sardonyx");
  app.set_version_flag("--version", std::string(sardonyx::kVersion));
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);
  int status = 0;
  sardonyx::cli::add_superres(app, status);
  sardonyx::cli::add_export(app, status);
  sardonyx::cli::add_check(app, status);
  sardonyx::cli::add_info(app, status);
  sardonyx::cli::add_run(app, status);
  sardonyx::cli::add_compare(app, status);
  sardonyx::cli::add_test(app, status);
  sardonyx::cli::add_bench(app, status);
  sardonyx::cli::add_print(app, status);
  sardonyx::cli::add_parse(app, status);
  sardonyx::cli::add_extract(app, status);
  sardonyx::cli::add_merge(app, status);
  sardonyx::cli::add_rename(app, status);
  sardonyx::cli::add_shape(app, status);
  sardonyx::cli::add_inline(app, status);
  sardonyx::cli::add_compare_models(app, status);
  sardonyx::cli::add_convert(app, status);
  sardonyx::cli::add_infer(app, status);
  sardonyx::cli::add_operators(app, status);
  sardonyx::cli::add_explain(app, status);
  sardonyx::cli::add_diff(app, status);
  sardonyx::cli::add_optimize(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  } catch (const std::bad_alloc&) {
    return complain("out of memory");
  } catch (const std::exception& error) {
    return complain(error.what());
  }
  if (std::fflush(stdout) != 0) return complain("cannot write to standard output");
  return status;
}
