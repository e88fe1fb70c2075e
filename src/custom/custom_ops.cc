#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "custom/node.h"
#include "schema/schema.h"

namespace sardonyx {
namespace {

constexpr const char* kSymbol = "sardonyx_custom_ops";

template <class... Args>
Error invalid(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...));
}

std::string last_dl_error() {
  const char* text = dlerror();
  return text ? text : "no reason given";
}

const CustomOpLibrary* library_of(void* handle, const std::string& path) {
  using Entry = const CustomOpLibrary* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, kSymbol));
  if (!entry) {
    throw invalid("{}: the library has no function '{}'; export it with extern \"C\" and SARDONYX_EXPORT, as sardonyx/custom_op.h shows",
                  path, kSymbol);
  }
  const CustomOpLibrary* library = entry();
  if (!library) throw invalid("{}: its function '{}' returned null; it must return its CustomOpLibrary", path, kSymbol);
  if (library->abi != kCustomOpAbi) {
    throw invalid(
        "{}: it was built for version {:#x} of sardonyx/custom_op.h, this program has {:#x}; build the library again with the "
        "headers and the compiler of this program",
        path, library->abi, kCustomOpAbi);
  }
  if (!library->add_ops) throw invalid("{}: the CustomOpLibrary of its function '{}' has no add_ops", path, kSymbol);
  return library;
}

}  // namespace

void CustomOps::add(CustomOp op) {
  const std::string name = custom::full_name(op);
  if (op.name.empty()) throw invalid("a custom operator of domain '{}' has no name", op.domain);
  if (schema::is_standard_domain(op.domain)) {
    throw invalid("operator {} cannot be added to domain '{}', which is ONNX's: give it a domain of your own", op.name,
                  op.domain.empty() ? "ai.onnx" : op.domain);
  }
  if (!op.make) throw invalid("custom operator {} has no make function", name);
  if (op.since_version < 1) throw invalid("custom operator {} begins with version {}; versions begin with 1", name, op.since_version);
  if (op.variadic && op.inputs.empty()) throw invalid("custom operator {} is variadic and declares no input to repeat", name);
  const bool is_there = std::ranges::any_of(ops_, [&](const CustomOp& other) {
    return other.domain == op.domain && other.name == op.name && other.since_version == op.since_version;
  });
  if (is_there) throw invalid("custom operator {} version {} is there already", name, op.since_version);
  ops_.push_back(std::move(op));
}

void CustomOps::load(const std::filesystem::path& path) {
  // A bare name is a file of this folder, not one of the system's search path.
  const std::string file = path.has_parent_path() ? path.string() : "./" + path.string();
  // Never unloaded: kernels, and the tensors they made, have code there.
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) throw Error(ErrorCode::kIo, fmt::format("{}: cannot be loaded: {}", path.string(), last_dl_error()));
  with_trail([&] { return path.string(); }, [&] { library_of(handle, path.filename().string())->add_ops(*this); });
}

const CustomOp* CustomOps::find(std::string_view domain, std::string_view name, int64_t version) const noexcept {
  const CustomOp* best = nullptr;
  for (const CustomOp& op : ops_) {
    if (op.domain != domain || op.name != name || op.since_version > version) continue;
    if (!best || op.since_version > best->since_version) best = &op;
  }
  return best;
}

}  // namespace sardonyx
