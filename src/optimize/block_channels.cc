// Finds out which nodes run on channel-blocked images and puts the conversions between them and the others.
//
// What the blocked kernels save is weighed against the conversions: a cheapest cut parts the graph (min_cut.h), with an edge for the gain
// of each node and one for each image that would have to be converted, however many nodes read it then.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "ops/blocked/blocked.h"
#include "optimize/blocked_nodes.h"
#include "optimize/match.h"
#include "optimize/min_cut.h"
#include "optimize/pass.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

struct Candidate {
  size_t node;
  BlockedRole role;
  bool is_blocked = false;
  size_t region = 0;
};

// Who makes and who reads an image that some candidate touches. Candidates are told by their position.
struct Image {
  std::string name;
  std::optional<size_t> maker;
  std::vector<size_t> readers;     // one for each input
  std::vector<size_t> converters;  // of the readers those that would need it blocked
  bool read_plain = false;         // by others
  int64_t cost = 0;
};

class Layout {
 public:
  explicit Layout(const GraphView& graph) : graph_(graph) {
    find_candidates();
    find_images();
    cut();
    find_regions();
  }

  // The nodes of each region, in the order of the graph.
  std::vector<std::vector<size_t>> regions() const {
    std::unordered_map<size_t, size_t> numbers;
    std::vector<std::vector<size_t>> result;
    for (const Candidate& candidate : candidates_) {
      if (!candidate.is_blocked) continue;
      const auto [at, is_new] = numbers.emplace(candidate.region, result.size());
      if (is_new) result.emplace_back();
      result[at->second].push_back(candidate.node);
    }
    return result;
  }
  const BlockedRole* role(size_t node) const {
    const auto found = position_.find(node);
    return found == position_.end() ? nullptr : &candidates_[found->second].role;
  }
  bool is_blocked(size_t node) const {
    const auto found = position_.find(node);
    return found != position_.end() && candidates_[found->second].is_blocked;
  }
  // Whether somebody reads it as a plain image.
  bool is_read_plain(const std::string& value) const {
    const Image& image = images_.at(value);
    return image.read_plain || std::ranges::any_of(image.readers, [&](size_t reader) { return !candidates_[reader].is_blocked; });
  }

 private:
  void find_candidates() {
    for (size_t node = 0; node < graph_.node_count(); ++node) {
      if (!graph_.node(node)) continue;
      std::string refusal;
      std::optional<BlockedRole> role = blocked_role(graph_, *graph_.node(node), refusal);
      if (!refusal.empty()) graph_.refuse(node, refusal);
      if (!role) continue;
      position_.emplace(node, candidates_.size());
      candidates_.push_back({node, std::move(*role)});
    }
  }

  Image& image(const std::string& value) {
    const auto [at, is_new] = images_.emplace(value, Image());
    if (!is_new) return at->second;
    Image& image = at->second;
    image.name = value;
    if (!graph_.constant(value)) image.cost = std::llround(conversion_cost(image_size(graph_, value).value_or(ImageSize())));
    image.read_plain = graph_.is_pinned(value);
    const std::optional<size_t> maker = graph_.producer(value);
    if (maker && position_.contains(*maker)) image.maker = position_.at(*maker);
    for (const size_t reader : graph_.consumers(value)) image.read_plain = image.read_plain || !reads_as_image(reader, value);
    return image;
  }
  bool reads_as_image(size_t reader, const std::string& value) const {
    const auto found = position_.find(reader);
    if (found == position_.end()) return false;
    const Candidate& candidate = candidates_[found->second];
    const std::vector<std::string>& inputs = graph_.node(reader)->input;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == value && std::ranges::find(candidate.role.images, i) == candidate.role.images.end()) return false;
    }
    return true;
  }

  void find_images() {
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const model::Node& node = *graph_.node(candidates_[i].node);
      image(node.output[0]);
      for (const size_t input : candidates_[i].role.images) {
        Image& read = image(node.input[input]);
        read.readers.push_back(i);
        if (input != 0 || !candidates_[i].role.may_read_plain) read.converters.push_back(i);
      }
    }
  }

  void add_image(MinCut& cut, const Image& image) const {
    const auto node_of = [](size_t candidate) { return candidate + 2; };
    if (image.maker && (image.read_plain || !image.readers.empty())) {  // blocked to plain
      const size_t plain = cut.add_node();
      cut.add_edge(node_of(*image.maker), plain, image.cost);
      if (image.read_plain) cut.add_edge(plain, MinCut::kSink, MinCut::kNever);
      for (const size_t reader : image.readers) cut.add_edge(plain, node_of(reader), MinCut::kNever);
    }
    if (image.converters.empty()) return;
    const size_t blocked = cut.add_node();
    for (const size_t reader : image.converters) cut.add_edge(node_of(reader), blocked, MinCut::kNever);
    cut.add_edge(blocked, image.maker ? node_of(*image.maker) : MinCut::kSink, image.cost);
  }

  void cut() {
    MinCut cut;
    for (const Candidate& candidate : candidates_) {
      const size_t node = cut.add_node();
      const int64_t gain = std::llround(std::clamp(candidate.role.gain, -1e12, 1e12));
      if (gain > 0) cut.add_edge(MinCut::kSource, node, gain);
      if (gain < 0) cut.add_edge(node, MinCut::kSink, -gain);
    }
    for (const auto& [name, image] : images_) add_image(cut, image);
    const std::vector<bool> sides = cut.solve();
    for (size_t i = 0; i < candidates_.size(); ++i) {
      candidates_[i].is_blocked = sides[i + 2];
      if (sides[i + 2] || candidates_[i].role.op_type != "BlockedConv" || candidates_[i].role.affine) continue;
      graph_.refuse(candidates_[i].node, "blocks of channels would gain less than the conversions around it cost");
    }
  }

  // Nodes that share a blocked image belong together.
  void find_regions() {
    std::vector<size_t> parent(candidates_.size());
    std::iota(parent.begin(), parent.end(), size_t{0});
    const auto root = [&](size_t i) {
      while (parent[i] != i) i = parent[i] = parent[parent[i]];
      return i;
    };
    for (const auto& [name, image] : images_) {
      std::optional<size_t> first;
      const auto join = [&](size_t candidate) {
        if (!candidates_[candidate].is_blocked) return;
        if (first) parent[root(candidate)] = root(*first);
        first = candidate;
      };
      if (image.maker) join(*image.maker);
      for (const size_t reader : image.readers) join(reader);
    }
    for (size_t i = 0; i < candidates_.size(); ++i) candidates_[i].region = root(i);
  }

  const GraphView& graph_;
  std::vector<Candidate> candidates_;
  std::unordered_map<size_t, size_t> position_;  // of nodes among the candidates
  std::unordered_map<std::string, Image> images_;
};

// The patch that makes a region blocked.
class RegionPatch {
 public:
  RegionPatch(const GraphView& graph, const Layout& layout) : graph_(graph), layout_(layout) {}

  Patch build(const std::vector<size_t>& nodes) {
    for (const size_t node : nodes) add(node);
    patch_.remove = nodes;
    return std::move(patch_);
  }

 private:
  void add(size_t index) {
    if (absorbed_.contains(index)) return;
    const model::Node& node = *graph_.node(index);
    const BlockedRole& role = *layout_.role(index);
    model::Node made = node;
    std::string result = node.output[0];
    if (role.affine) make_convolution(*role.affine, made, result);
    if (!role.op_type.empty()) {
      made.op_type = role.op_type;
      made.domain = kFusedDomain;
      made.overload.clear();
    }
    if (node.op_type == "Concat") std::ranges::find(made.attribute, "axis", &model::Attribute::name)->i = 1;
    for (const size_t input : role.images) {
      if (input == 0 && role.may_read_plain && !is_made_blocked(node.input[0])) continue;
      made.input[input] = blocked(node.input[input]);
    }
    if (role.op_type == "BlockedScale" && role.images.front() == 1) std::swap(made.input[0], made.input[1]);
    made.output[0] = new_name(result);
    patch_.add.push_back(std::move(made));
    if (layout_.is_read_plain(result)) unblock(result);
  }

  // A depthwise convolution of one tap in place of a BatchNormalization, which takes over the Relu behind it.
  void make_convolution(const Affine& affine, model::Node& node, std::string& result) {
    const auto channels = static_cast<int64_t>(affine.scale.size());
    node.input = {node.input[0], constant(result + "_scale", affine.scale, {channels, 1, 1, 1}),
                  constant(result + "_shift", affine.shift, {channels})};
    node.attribute = {model::Attribute::of("group", channels)};
    const std::optional<size_t> next = graph_.sole_consumer(result);
    if (!next || !layout_.is_blocked(*next) || !is_onnx_node(*graph_.node(*next), "Relu")) return;
    node.attribute.push_back(model::Attribute::of("activation", "Relu"));
    absorbed_.insert(*next);
    result = graph_.node(*next)->output[0];
  }
  std::string constant(const std::string& name, const std::vector<double>& values, Shape shape) {
    Tensor tensor = Tensor::empty(std::move(shape));
    std::ranges::transform(values, tensor.mutable_values<float>().begin(), [](double value) { return static_cast<float>(value); });
    patch_.constants.push_back(model::encode(tensor, graph_.fresh_name(name)));
    return patch_.constants.back().name;
  }

  bool is_made_blocked(const std::string& value) const {
    const std::optional<size_t> maker = graph_.producer(value);
    return maker && layout_.is_blocked(*maker);
  }

  // The name of the blocked form of the value, with its type.
  std::string new_name(const std::string& value) {
    const auto [at, is_new] = names_.emplace(value, graph_.fresh_name(value + "_blocked"));
    if (!is_new) return at->second;
    const std::vector<model::Dimension>& dims = *graph_.dims(value);
    model::TensorType type = *graph_.type(value);
    type.shape.dims = {dims[0], ops::channel_blocks(dims[1].size()), dims[2], dims[3], ops::block_lanes()};
    patch_.types.emplace_back(at->second, std::move(type));
    return at->second;
  }

  std::string blocked(const std::string& value) {
    const bool is_known = names_.contains(value) || is_made_blocked(value);
    std::string name = new_name(value);
    if (!is_known) patch_.add.push_back(conversion("BlockChannels", value, name));
    return name;
  }

  void unblock(const std::string& result) {
    model::Node made = conversion("UnblockChannels", new_name(result), result);
    made.attribute.push_back(model::Attribute::of("channels", (*graph_.dims(result))[1].size()));
    patch_.add.push_back(std::move(made));
  }

  static model::Node conversion(const char* op_type, std::string from, std::string to) {
    model::Node node;
    node.name = fmt::format("{} of {}", op_type, from);
    node.op_type = op_type;
    node.domain = kFusedDomain;
    node.input = {std::move(from)};
    node.output = {std::move(to)};
    return node;
  }

  const GraphView& graph_;
  const Layout& layout_;
  Patch patch_;
  std::unordered_map<std::string, std::string> names_;  // of blocked forms
  std::unordered_set<size_t> absorbed_;                 // nodes that one before them has taken over
};

}  // namespace

Rule block_channels() {
  struct State {
    std::unique_ptr<Layout> layout;
    std::unordered_map<size_t, std::vector<size_t>> regions;  // by their first node
  };
  return [state = std::make_shared<State>()](const GraphView& graph, size_t node) -> std::optional<Patch> {
    if (!state->layout) {
      state->layout = std::make_unique<Layout>(graph);
      for (std::vector<size_t>& region : state->layout->regions()) state->regions.emplace(region.front(), std::move(region));
    }
    const auto region = state->regions.find(node);
    if (region == state->regions.end()) return std::nullopt;
    return RegionPatch(graph, *state->layout).build(region->second);
  };
}

}  // namespace sardonyx::optimize
