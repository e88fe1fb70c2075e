// safetensors: the header's length as uint64, a JSON header {name: {dtype, shape, data_offsets}}, and the elements, without gaps.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "checkpoint/byte_reader.h"
#include "checkpoint/byte_writer.h"
#include "checkpoint/element_types.h"
#include "checkpoint/formats.h"
#include "checkpoint/text.h"
#include "checkpoint/value_store.h"
#include "core/mapped_file.h"

namespace sardonyx {

namespace checkpoint {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kMetadataKey = "__metadata__";

[[noreturn]] void invalid(const std::string& message) {
  throw Error(ErrorCode::kInvalidModel, "the safetensors header is broken: " + message);
}

struct Entry {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Refuses nesting beyond that of the format, and names that repeat.
class HeaderGuard {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    constexpr int kDeepest = 3;
    if (depth > kDeepest) invalid("it is nested too deep");
    if (event == Json::parse_event_t::object_start) names_.emplace_back();
    if (event == Json::parse_event_t::object_end) names_.pop_back();
    if (event == Json::parse_event_t::key) {
      const std::string& name = parsed.get_ref<const std::string&>();
      if (!names_.back().insert(name).second) invalid("the name " + quote(name) + " appears twice");
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> names_;
};

Json parse_header(std::string_view text) {
  HeaderGuard guard;
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) { return guard(depth, event, parsed); });
  } catch (const Json::exception& error) {
    invalid(std::string("it is not JSON (") + quote(error.what()) + ")");
  }
}

const Json& member(const Json& object, const std::string& tensor, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) invalid("tensor " + quote(tensor) + " has no " + name);
  return *found;
}

std::vector<uint64_t> whole_numbers(const Json& list, const std::string& tensor, const char* what) {
  if (!list.is_array()) invalid("the " + std::string(what) + " of tensor " + quote(tensor) + " is no list");
  std::vector<uint64_t> numbers;
  for (const Json& value : list) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) {
      invalid("the " + std::string(what) + " of tensor " + quote(tensor) + " has something else than whole numbers");
    }
    numbers.push_back(value.get<uint64_t>());
  }
  return numbers;
}

Entry read_entry(const std::string& name, const Json& description, uint64_t max_rank) {
  if (!description.is_object() || description.size() != 3)
    invalid("tensor " + quote(name) + " has not exactly dtype, shape and data_offsets");
  const Json& type = member(description, name, "dtype");
  if (!type.is_string()) invalid("the dtype of tensor " + quote(name) + " is no string");
  const auto dtype = dtype_of_safetensors(type.get_ref<const std::string&>());
  if (!dtype) {
    throw Error(ErrorCode::kUnsupported, "tensor " + quote(name) + " has the element type " + quote(type.get_ref<const std::string&>()));
  }
  Entry entry{name, *dtype, {}, 0, 0};
  for (const uint64_t size : whole_numbers(member(description, name, "shape"), name, "shape"))
    entry.shape.push_back(static_cast<int64_t>(size));
  const std::vector<uint64_t> offsets = whole_numbers(member(description, name, "data_offsets"), name, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) invalid("the data_offsets of tensor " + quote(name) + " are not a range");
  if (entry.shape.size() > max_rank) {
    throw Error(ErrorCode::kResourceLimit, "tensor " + quote(name) + " has more axes than CheckpointLimits::max_rank");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (storage_bytes(entry.dtype, element_count(entry.shape)) != entry.end - entry.begin) {
    invalid("tensor " + quote(name) + " of shape " + to_string(entry.shape) + " has " + std::to_string(entry.end - entry.begin) + " bytes");
  }
  return entry;
}

// In the order of the data, which the tensors must cover without gap or overlap.
std::vector<Entry> read_entries(const Json& header, const CheckpointLimits& limits, uint64_t data_size) {
  std::vector<Entry> entries;
  if (header.size() > limits.max_tensors) {
    throw Error(ErrorCode::kResourceLimit,
                "there are more than " + std::to_string(limits.max_tensors) + " tensors (CheckpointLimits::max_tensors)");
  }
  for (const auto& [name, description] : header.items()) {
    if (name != kMetadataKey) entries.push_back(read_entry(name, description, limits.max_rank));
  }
  std::ranges::stable_sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position) invalid("tensor " + quote(entry.name) + " leaves a gap or overlaps at byte " + std::to_string(position));
    position = entry.end;
  }
  if (position != data_size) {
    invalid("its tensors take " + std::to_string(position) + " bytes, and the file has " + std::to_string(data_size) +
            ". Cure: if the file is cut short, fetch it again");
  }
  return entries;
}

CheckpointMetadata read_metadata(const Json& header) {
  CheckpointMetadata metadata;
  const auto found = header.find(kMetadataKey);
  if (found == header.end()) return metadata;
  if (!found->is_object()) invalid("its __metadata__ is no object");
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) invalid("its __metadata__ has something else than a string under " + quote(key));
    metadata.emplace_back(key, value.get<std::string>());
  }
  return metadata;
}

// What the format wants: wide types first, so that all stay aligned; then by name.
std::vector<const StateDict::Entry*> writing_order(const StateDict& state) {
  std::vector<const StateDict::Entry*> order;
  for (const StateDict::Entry& entry : state) order.push_back(&entry);
  std::ranges::sort(order, [](const StateDict::Entry* a, const StateDict::Entry* b) {
    const int width_a = bit_width(a->second.dtype());
    const int width_b = bit_width(b->second.dtype());
    return width_a != width_b ? width_a > width_b : a->first < b->first;
  });
  return order;
}

std::string header_of(const std::vector<const StateDict::Entry*>& order, const CheckpointMetadata& metadata) {
  nlohmann::ordered_json::object_t header;
  nlohmann::ordered_json notes = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) notes[key] = value;
  if (!metadata.empty()) header.emplace_back(std::string(kMetadataKey), std::move(notes));
  uint64_t position = 0;
  for (const StateDict::Entry* entry : order) {
    const auto& [name, tensor] = *entry;
    const ElementType* type = element_type(tensor.dtype());
    if (name == kMetadataKey) throw Error(ErrorCode::kInvalidArgument, "a tensor may not be named __metadata__ in safetensors");
    if (type == nullptr || type->safetensors.empty()) {
      throw Error(ErrorCode::kUnsupported, "tensor " + quote(name) + " has type " + std::string(to_string(tensor.dtype())) +
                                               ", which safetensors lacks. Cure: convert it, or use save_checkpoint");
    }
    const uint64_t end = position + tensor.byte_size();
    nlohmann::ordered_json description;
    description["dtype"] = type->safetensors;
    description["shape"] = tensor.shape();
    description["data_offsets"] = {position, end};
    header.emplace_back(name, std::move(description));
    position = end;
  }
  std::string text = nlohmann::ordered_json(std::move(header)).dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

Checkpoint read_safetensors(const Bytes& file, const CheckpointOptions& options) {
  ByteReader reader(file.data, "safetensors file");
  const uint64_t length = reader.read<uint64_t>();
  if (length > options.limits.max_header_bytes) {
    throw Error(ErrorCode::kResourceLimit, "the safetensors header has " + std::to_string(length) + " bytes, more than " +
                                               std::to_string(options.limits.max_header_bytes) + " (CheckpointLimits::max_header_bytes)");
  }
  const Json header = parse_header(as_text(reader.take(length)));
  if (!header.is_object()) invalid("it is no JSON object");
  const std::span<const std::byte> data = file.data.subspan(reader.position());
  CopyBudget budget = copy_budget(options.limits, file.data.size());
  const auto store = std::make_shared<ValueStore>();
  std::vector<NodeId> children;
  for (Entry& entry : read_entries(header, options.limits, data.size())) {
    Bytes bytes{data.subspan(entry.begin, entry.end - entry.begin), file.owner};
    ElementView view{.dtype = entry.dtype, .size = entry.shape, .stride = contiguous_strides(entry.shape)};
    store->tensors.push_back(make_tensor(bytes, view, budget));
    children.push_back(store->add_owned_text(NodeKind::kString, std::move(entry.name)));
    children.push_back(store->add(NodeKind::kTensor, static_cast<int64_t>(store->tensors.size() - 1)));
  }
  const NodeId root = store->add_items(NodeKind::kDict, std::move(children));
  return {CheckpointFormat::kSafetensors, {store, root}, read_metadata(header)};
}

}  // namespace checkpoint

void save_safetensors(const std::filesystem::path& path, const StateDict& state, const CheckpointMetadata& metadata) {
  const auto order = checkpoint::writing_order(state);
  const std::string header = checkpoint::header_of(order, metadata);
  std::string length;
  checkpoint::append_little<uint64_t>(length, header.size());
  core::AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const StateDict::Entry* entry : order) {
    file.write(std::span(static_cast<const std::byte*>(entry->second.raw()), entry->second.byte_size()));
  }
  file.commit();
}

}  // namespace sardonyx
