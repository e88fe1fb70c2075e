#include "edit/diff_match.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "edit/walk.h"

namespace sardonyx::edit {

namespace {
using model::Attribute;
using model::Graph;
using model::Node;
using Hash = uint64_t;

Hash mix(Hash seed, Hash value) {
  seed ^= value + 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2);
  return seed * 0xff51afd7ed558ccdu;
}
Hash of(std::string_view text) { return std::hash<std::string_view>()(text); }

// A few bytes tell enough tensors apart to match nodes; they are compared in full afterwards.
Hash of(const model::TensorData& tensor) {
  constexpr size_t kSample = 1024;
  Hash hash = mix(1, static_cast<Hash>(tensor.data_type));
  for (const int64_t size : tensor.dims) hash = mix(hash, static_cast<Hash>(size));
  hash = mix(hash, of((tensor.is_external() ? tensor.external.bytes : tensor.raw_data).text().substr(0, kSample)));
  for (size_t i = 0; i < std::min(kSample, tensor.float_data.size()); ++i) hash = mix(hash, std::bit_cast<uint32_t>(tensor.float_data[i]));
  for (size_t i = 0; i < std::min(kSample, tensor.int32_data.size()); ++i) hash = mix(hash, static_cast<Hash>(tensor.int32_data[i]));
  for (size_t i = 0; i < std::min(kSample, tensor.int64_data.size()); ++i) hash = mix(hash, static_cast<Hash>(tensor.int64_data[i]));
  return hash;
}

Hash of(const Attribute& attribute) {
  Hash hash = mix(of(attribute.name), static_cast<Hash>(attribute.type));
  hash = mix(mix(hash, std::bit_cast<uint32_t>(attribute.f)), static_cast<Hash>(attribute.i));
  hash = mix(mix(hash, of(attribute.s.text())), of(attribute.ref_attr_name));
  for (const float value : attribute.floats) hash = mix(hash, std::bit_cast<uint32_t>(value));
  for (const int64_t value : attribute.ints) hash = mix(hash, static_cast<Hash>(value));
  for (const model::Bytes& value : attribute.strings) hash = mix(hash, of(value.text()));
  if (attribute.t != nullptr) hash = mix(hash, of(*attribute.t));
  if (attribute.g != nullptr) {
    for (const Node& node : attribute.g->node) hash = mix(hash, of(node.op_type));
  }
  return hash;
}

Hash operator_of(const Node& node) { return mix(mix(of(node.op_type), of(plain_domain(node.domain))), of(node.overload)); }

// The hashes of one graph's nodes: by themselves, by what they are computed from, and by what is computed from them.
struct Signatures {
  std::vector<Hash> own, above, below;

  Signatures(const Graph& graph, bool ignore_names) {
    std::unordered_map<std::string_view, Hash> values;
    for (size_t i = 0; i < graph.input.size(); ++i) values[graph.input[i].name] = ignore_names ? mix(2, i) : of(graph.input[i].name);
    for (const model::TensorData& tensor : graph.initializer) values[tensor.name] = of(tensor);
    for (const Node& node : graph.node) {
      own.push_back(operator_of(node));
      // The order of attributes means nothing.
      Hash attributes = 0;
      for (const Attribute& attribute : node.attribute) attributes += of(attribute);
      own.back() = mix(mix(own.back(), attributes), node.input.size());
      Hash hash = own.back();
      for (const std::string& name : node.input) {
        const auto found = values.find(name);
        hash = mix(hash, found != values.end() ? found->second : 3);
      }
      above.push_back(hash);
      for (size_t i = 0; i < node.output.size(); ++i) values[node.output[i]] = mix(hash, i);
    }
    look_below(graph);
  }

 private:
  void look_below(const Graph& graph) {
    std::unordered_map<std::string_view, Hash> uses;
    below.resize(graph.node.size());
    for (size_t i = 0; i < graph.output.size(); ++i) uses[graph.output[i].name] += mix(4, i);
    for (size_t n = graph.node.size(); n-- > 0;) {
      const Node& node = graph.node[n];
      Hash hash = own[n];
      for (const std::string& name : node.output) {
        const auto found = uses.find(name);
        hash = mix(hash, found != uses.end() ? found->second : 5);
      }
      below[n] = hash;
      for (size_t i = 0; i < node.input.size(); ++i) uses[node.input[i]] += mix(hash, i);
    }
  }
};

class Matcher {
 public:
  Matcher(const Graph& a, const Graph& b) : a_(a), b_(b) {
    result_.b_of_a.assign(a.node.size(), kNoMatch);
    result_.a_of_b.assign(b.node.size(), kNoMatch);
  }

  bool complete() const { return left_ == 0 || matched_ == b_.node.size(); }

  // Nodes without a match that have equal keys, each with the first that is left; a key of 0 matches nothing.
  template <class KeyA, class KeyB>
  void round(const KeyA& key_a, const KeyB& key_b, bool only_unique = false) {
    if (complete()) return;
    struct Queue {
      std::vector<size_t> nodes;
      size_t next = 0, asked = 0;
    };
    std::unordered_map<Hash, Queue> queues;
    for (size_t i = 0; i < b_.node.size(); ++i) {
      const Hash key = result_.a_of_b[i] == kNoMatch ? key_b(i) : 0;
      if (key != 0) queues[key].nodes.push_back(i);
    }
    std::vector<Hash> keys(a_.node.size());
    for (size_t i = 0; i < a_.node.size(); ++i) {
      if (result_.b_of_a[i] == kNoMatch) keys[i] = key_a(i);
      const auto found = queues.find(keys[i]);
      if (found != queues.end()) ++found->second.asked;
    }
    for (size_t i = 0; i < a_.node.size(); ++i) {
      const auto found = keys[i] == 0 ? queues.end() : queues.find(keys[i]);
      if (found == queues.end()) continue;
      Queue& queue = found->second;
      if (only_unique && (queue.nodes.size() != 1 || queue.asked != 1)) continue;
      if (queue.next < queue.nodes.size()) link(i, queue.nodes[queue.next++]);
    }
  }

  NodeMatches take() { return std::move(result_); }

 private:
  void link(size_t in_a, size_t in_b) {
    result_.b_of_a[in_a] = in_b;
    result_.a_of_b[in_b] = in_a;
    ++matched_;
    --left_;
  }

  const Graph& a_;
  const Graph& b_;
  NodeMatches result_;
  size_t matched_ = 0;
  size_t left_ = a_.node.size();
};

// One of a node's names, with its operator or without.
Hash name_key(const Node& node, std::string_view name, bool with_operator) {
  if (name.empty()) return 0;
  return mix(of(name), with_operator ? operator_of(node) : 0) | 1;
}
std::string_view first_output(const Node& node) {
  const auto given = std::find_if(node.output.begin(), node.output.end(), [](const std::string& name) { return !name.empty(); });
  return given == node.output.end() ? std::string_view() : *given;
}

}  // namespace

NodeMatches match_nodes(const Graph& a, const Graph& b, bool ignore_names) {
  Matcher matcher(a, b);
  const auto both = [&](const auto& key, bool only_unique = false) {
    matcher.round([&](size_t i) { return key(a.node[i]); }, [&](size_t i) { return key(b.node[i]); }, only_unique);
  };
  if (!ignore_names) {
    both([](const Node& node) { return name_key(node, node.name, true); }, true);
    both([](const Node& node) { return name_key(node, first_output(node), true); }, true);
  }
  if (matcher.complete()) return matcher.take();
  const Signatures in_a(a, ignore_names), in_b(b, ignore_names);
  for (const auto member : {&Signatures::above, &Signatures::below, &Signatures::own}) {
    matcher.round([&](size_t i) { return (in_a.*member)[i] | 1; }, [&](size_t i) { return (in_b.*member)[i] | 1; });
  }
  if (!ignore_names) {
    both([](const Node& node) { return name_key(node, first_output(node), false); }, true);
    both([](const Node& node) { return name_key(node, node.name, false); }, true);
  }
  both([](const Node& node) { return mix(mix(operator_of(node), node.input.size()), node.output.size()) | 1; });
  return matcher.take();
}

}  // namespace sardonyx::edit
