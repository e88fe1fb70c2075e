#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "ops/facts.h"
#include "ops/op.h"
#include "ops/stages.h"
#include "ops/trail.h"

namespace sardonyx::ops {

#define SARDONYX_OPERATOR(domain, op_type, since, min_inputs, max_inputs, max_outputs, prepare) \
  std::unique_ptr<Prepared> prepare(const PrepareContext& context);
#include "ops/list.inc"
#undef SARDONYX_OPERATOR

namespace {

#define SARDONYX_OPERATOR(domain, op_type, since, min_inputs, max_inputs, max_outputs, prepare) \
  {domain, op_type, since, prepare, min_inputs, max_inputs, max_outputs},
constexpr Operator kOperators[] = {
#include "ops/list.inc"
};
#undef SARDONYX_OPERATOR

constexpr bool before(const Operator& a, std::string_view domain, std::string_view op_type) {
  return a.domain != domain ? a.domain < domain : a.op_type < op_type;
}
constexpr bool is_sorted() {
  for (size_t i = 1; i < std::size(kOperators); ++i) {
    if (!before(kOperators[i - 1], kOperators[i].domain, kOperators[i].op_type)) return false;
  }
  return true;
}
static_assert(is_sorted(), "ops/list.inc must be sorted by domain and operator, without duplicates");

void check_counts(const Operator& row, const model::Node& node) {
  const int inputs = static_cast<int>(node.input.size());
  const int outputs = static_cast<int>(node.output.size());
  if (inputs < row.min_inputs || inputs > row.max_inputs) {
    throw model_error("the node has {} inputs; the operator takes {} to {}", inputs, row.min_inputs,
                      row.max_inputs == kMany ? std::string("any number") : std::to_string(row.max_inputs));
  }
  if (outputs < 1 || outputs > row.max_outputs) throw model_error("the node has {} outputs, which the operator does not give", outputs);
}

// Key of a call: what prepare and bind may look at. Empty: not to be cached.
class CallKey {
 public:
  CallKey(const model::Node& node, int64_t opset, std::span<const Tensor> inputs) {
    text(node.op_type);
    text(node.domain);
    number(opset);
    for (const std::string& output : node.output) number(output.empty() ? 0 : 1);
    number(-1);
    for (const model::Attribute& attribute : node.attribute) add(attribute);
    number(-1);
    for (const Tensor& input : inputs) add(input);
    if (!cacheable_) key_.clear();
  }
  std::string take() { return std::move(key_); }

 private:
  void number(int64_t value) { key_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(to_int(value.size()));
    key_.append(value);
  }
  void add(const Tensor& input) {
    number(input.defined() ? static_cast<int64_t>(input.dtype()) : 0);
    if (!input.defined()) return;
    number(input.dim());
    for (const int64_t size : input.shape()) number(size);
  }
  void add(const model::Attribute& attribute) {
    using Type = model::Attribute::Type;
    text(attribute.name);
    number(static_cast<int64_t>(attribute.type));
    switch (attribute.type) {
      case Type::kFloat:
        number(std::bit_cast<int32_t>(attribute.f));
        break;
      case Type::kInt:
        number(attribute.i);
        break;
      case Type::kString:
        text(attribute.s.text());
        break;
      case Type::kFloats:
        number(to_int(attribute.floats.size()));
        for (const float value : attribute.floats) number(std::bit_cast<int32_t>(value));
        break;
      case Type::kInts:
        number(to_int(attribute.ints.size()));
        for (const int64_t value : attribute.ints) number(value);
        break;
      default:
        cacheable_ = false;
    }
    if (key_.size() > kMaxKeyBytes) cacheable_ = false;
  }

  static constexpr size_t kMaxKeyBytes = 4096;
  std::string key_;
  bool cacheable_ = true;
};

struct Call {
  std::unique_ptr<Prepared> prepared;
  std::unique_ptr<Bound> bound;
};

// Recent calls; the least recently used goes.
class CallCache {
 public:
  std::shared_ptr<const Call> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->second;
  }

  void insert(const std::string& key, std::shared_ptr<const Call> call) {
    const std::lock_guard lock(mutex_);
    if (index_.contains(key)) return;
    entries_.emplace_front(key, std::move(call));
    index_.emplace(key, entries_.begin());
    if (entries_.size() <= kCapacity) return;
    index_.erase(entries_.back().first);
    entries_.pop_back();
  }

 private:
  static constexpr size_t kCapacity = 256;
  using Entries = std::list<std::pair<std::string, std::shared_ptr<const Call>>>;
  std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> index_;
};

std::shared_ptr<const Call> make_call(const model::Node& node, int64_t opset, std::span<const Tensor> inputs, int threads) {
  const std::vector<const Tensor*> constants(inputs.size());
  auto call = std::make_shared<Call>();
  call->prepared = prepare({node, opset, constants});
  std::vector<ValueFacts> facts;
  for (const Tensor& input : inputs) facts.push_back(input.defined() ? ValueFacts{input.dtype(), input.shape(), nullptr} : ValueFacts{});
  with_trail([&] { return trail(node, opset); }, [&] { call->bound = call->prepared->bind({facts, threads}); });
  return call;
}

}  // namespace

std::span<const Operator> all_operators() noexcept { return kOperators; }

const Operator* find_operator(std::string_view domain, std::string_view op_type) noexcept {
  if (domain == "ai.onnx") domain = "";
  const auto* found =
      std::partition_point(std::begin(kOperators), std::end(kOperators), [&](const Operator& row) { return before(row, domain, op_type); });
  const bool is_there = found != std::end(kOperators) && found->domain == domain && found->op_type == op_type;
  return is_there ? found : nullptr;
}

std::unique_ptr<Prepared> prepare(const PrepareContext& context) {
  const model::Node& node = context.node;
  return with_trail([&] { return trail(node, context.opset); },
                    [&] {
                      const Operator* row = find_operator(node.domain, node.op_type);
                      if (!row || context.opset < row->since) {
                        throw unsupported_error("there is no CPU kernel for operator {} of domain '{}' in opset {}", node.op_type,
                                                node.domain.empty() ? "ai.onnx" : node.domain, context.opset);
                      }
                      check_counts(*row, node);
                      return row->prepare(context);
                    });
}

std::vector<Tensor> evaluate(const model::Node& node, int64_t opset, std::span<const Tensor> inputs) {
  static CallCache cache;
  if (inputs.size() != node.input.size()) {
    throw argument_error("{}: {} values given, the node has {} inputs", trail(node, opset), inputs.size(), node.input.size());
  }
  core::ThreadPool& pool = core::shared_pool();
  const std::string key = CallKey(node, opset, inputs).take();
  std::shared_ptr<const Call> call = key.empty() ? nullptr : cache.find(key);
  if (!call) {
    call = make_call(node, opset, inputs, pool.threads());
    if (!key.empty()) cache.insert(key, call);
  }
  return with_trail([&] { return trail(node, opset); }, [&] { return run_step(*call->bound, inputs, pool); });
}

}  // namespace sardonyx::ops
