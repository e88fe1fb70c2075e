#include "sardonyx/session.h"

#include <fmt/format.h>

#include "api/flatten.h"
#include "backend/cpu/cpu_backend.h"
#include "backend/custom/custom_backend.h"
#include "core/mapped_file.h"
#include "core/parallel.h"
#include "optimize/pass.h"
#include "runtime/session.h"

namespace sardonyx {
namespace {

using Clock = std::chrono::steady_clock;

std::string to_string(const NodeArg::Axis& axis) {
  if (const auto* size = std::get_if<int64_t>(&axis)) return std::to_string(*size);
  if (const auto* symbol = std::get_if<std::string>(&axis)) return "'" + *symbol + "'";
  return "None";
}

std::vector<NodeArg> args_of(std::span<const runtime::Input> inputs) {
  std::vector<NodeArg> args;
  for (const runtime::Input& input : inputs) args.push_back(input.arg);
  return args;
}

}  // namespace

std::string NodeArg::type_string() const { return model::type_string(type); }

std::optional<std::vector<NodeArg::Axis>> NodeArg::shape() const {
  const model::TensorType* tensor = type.tensor();
  if (!tensor || !tensor->has_shape) return std::nullopt;
  std::vector<Axis> axes;
  for (const model::Dimension& dim : tensor->shape.dims) axes.push_back(dim.value);
  return axes;
}

std::string to_string(const NodeArg& arg) {
  std::string shape = "None";
  if (const auto axes = arg.shape()) {
    shape = "[";
    for (const NodeArg::Axis& axis : *axes) shape += (shape.size() > 1 ? ", " : "") + to_string(axis);
    shape += "]";
  }
  return fmt::format("NodeArg(name='{}', type='{}', shape={})", arg.name, arg.type_string(), shape);
}

std::shared_ptr<core::ThreadPool> make_thread_pool(int threads) {
  if (threads < 0) throw Error(ErrorCode::kInvalidArgument, fmt::format("make_thread_pool: {} threads; 0 means all", threads));
  return std::make_shared<core::ThreadPool>(threads);
}

std::vector<PassReport> optimization_passes() {
  std::vector<PassReport> reports;
  for (const optimize::Pass& pass : optimize::passes())
    reports.push_back({std::string(pass.name), std::string(pass.description), pass.level, 0});
  return reports;
}

struct InferenceSession::State {
  State(model::Model model, SessionOptions options, Clock::time_point start)
      : custom(options.custom_ops ? backend::with_custom_ops(backend::cpu_backend(), options.custom_ops) : nullptr),
        session(flatten(std::move(model)), custom ? *custom : backend::cpu_backend(), std::move(options)) {
    const std::span<const runtime::Input> all = session.program().signature().inputs();
    const size_t required = session.program().signature().required_inputs();
    inputs = args_of(all.first(required));
    overridable = args_of(all.subspan(required));
    const auto prepared = session.load_phases().front().start;
    session.finish_loading({{"read", start, std::chrono::duration<double>(prepared - start).count()}});
  }

  std::unique_ptr<const runtime::Backend> custom;  // null: no operators are added
  runtime::Session session;
  std::vector<NodeArg> inputs, overridable;
};

struct IoBinding::State {
  explicit State(const runtime::Program& program) : binding(program) {}
  runtime::Binding binding;
};

InferenceSession::InferenceSession(const std::filesystem::path& path, SessionOptions options)
    : state_(with_trail([&] { return path.string(); },
                        [&] {
                          const Clock::time_point start = Clock::now();
                          auto map = core::MappedFile::open(path);
                          const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
                          model::Model model = model::parse_model(map->text(), map, {}, folder);
                          return std::make_unique<State>(std::move(model), std::move(options), start);
                        })) {}

InferenceSession::InferenceSession(model::Model model, SessionOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options), Clock::now())) {}

InferenceSession InferenceSession::from_bytes(std::string_view bytes, std::shared_ptr<const void> owner, SessionOptions options,
                                              const std::filesystem::path& folder) {
  const Clock::time_point start = Clock::now();
  return InferenceSession(std::make_unique<State>(model::parse_model(bytes, std::move(owner), {}, folder), std::move(options), start));
}

InferenceSession::InferenceSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
InferenceSession::~InferenceSession() = default;
InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&&) noexcept = default;

const std::vector<NodeArg>& InferenceSession::inputs() const noexcept { return state_->inputs; }
const std::vector<NodeArg>& InferenceSession::outputs() const noexcept { return state_->session.program().outputs(); }
const std::vector<NodeArg>& InferenceSession::overridable_initializers() const noexcept { return state_->overridable; }
const ModelMetadata& InferenceSession::metadata() const noexcept { return state_->session.program().metadata(); }
int InferenceSession::threads() const noexcept { return state_->session.threads(); }

std::vector<Tensor> InferenceSession::run(const std::vector<std::string>& output_names, const Feeds& feeds,
                                          const RunOptions& run_options) const {
  return state_->session.run(output_names, feeds, run_options);
}

void InferenceSession::run(IoBinding& binding, const RunOptions& run_options) const {
  state_->session.run(binding.state_->binding, run_options);
}

PlanReport InferenceSession::explain(const InputShapes& shapes) const { return state_->session.explain(shapes); }
PlanReport InferenceSession::profile(const Feeds& feeds) const { return state_->session.profile(feeds); }
const std::vector<PassReport>& InferenceSession::passes() const noexcept { return state_->session.program().passes(); }
std::vector<Tensor> InferenceSession::observe(const Feeds& feeds, const ValueObserver& observer) const {
  return state_->session.observe(feeds, observer);
}
const std::vector<LoadPhase>& InferenceSession::load_phases() const noexcept { return state_->session.load_phases(); }
std::filesystem::path InferenceSession::end_profiling() { return state_->session.end_profiling(); }
size_t InferenceSession::plan_count() const noexcept { return state_->session.plan_count(); }
void InferenceSession::trim() { state_->session.trim(); }

IoBinding::IoBinding(const InferenceSession& session) : state_(std::make_unique<State>(session.state_->session.program())) {}
IoBinding::~IoBinding() = default;
IoBinding::IoBinding(IoBinding&&) noexcept = default;
IoBinding& IoBinding::operator=(IoBinding&&) noexcept = default;

void IoBinding::bind_input(std::string_view name, Tensor tensor) { state_->binding.bind_input(name, std::move(tensor)); }
void IoBinding::bind_output(std::string_view name, Tensor tensor) { state_->binding.bind_output(name, std::move(tensor)); }
void IoBinding::bind_output(std::string_view name) { state_->binding.bind_output(name, Tensor()); }
void IoBinding::clear_inputs() { state_->binding.clear_inputs(); }
void IoBinding::clear_outputs() { state_->binding.clear_outputs(); }
const std::vector<Tensor>& IoBinding::outputs() const noexcept { return state_->binding.outputs(); }

}  // namespace sardonyx
