#include "checkpoint/objects.h"

#include "checkpoint/element_types.h"
#include "checkpoint/text.h"

namespace sardonyx::checkpoint {

namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, message); }

void expect_count(size_t count, size_t least, size_t most, std::string_view what) {
  if (count < least || count > most) invalid(std::string(what) + " is called with " + std::to_string(count) + " arguments");
}

}  // namespace

uint64_t byte_count(const StorageSpec& storage) {
  uint64_t bytes = 0;
  if (storage.count < 0 || __builtin_mul_overflow(static_cast<uint64_t>(storage.count), item_size(storage.dtype), &bytes) ||
      bytes > uint64_t{INT64_MAX}) {
    invalid("storage " + quote(storage.key) + " cannot have " + std::to_string(storage.count) + " elements");
  }
  return bytes;
}

NodeId ObjectBuilder::argument(const Arguments& arguments, size_t index, NodeKind kind, std::string_view what) const {
  if (index >= arguments.size()) invalid(std::string(what) + " lacks argument " + std::to_string(index + 1));
  if (store_.kind(arguments[index]) != kind) {
    invalid(std::string(what) + ": argument " + std::to_string(index + 1) + " is a " +
            std::string(kind_name(store_.kind(arguments[index]))) + ", not a " + std::string(kind_name(kind)));
  }
  return arguments[index];
}

int64_t ObjectBuilder::integer(NodeId node, std::string_view what) const {
  if (store_.kind(node) != NodeKind::kInt) {
    invalid("the " + std::string(what) + " is a " + std::string(kind_name(store_.kind(node))) + ", not an int");
  }
  return store_.node(node).value;
}

std::string_view ObjectBuilder::string(NodeId node, std::string_view what) const {
  if (!store_.is_text(node)) invalid("the " + std::string(what) + " is a " + std::string(kind_name(store_.kind(node))) + ", not a string");
  return store_.text(node);
}

Shape ObjectBuilder::sizes(NodeId node, std::string_view what) const {
  if (!store_.is_sequence(node))
    invalid("the " + std::string(what) + " is a " + std::string(kind_name(store_.kind(node))) + ", not a tuple");
  const std::vector<NodeId>& children = store_.children(node);
  if (children.size() > state_.options.limits.max_rank) {
    throw Error(ErrorCode::kResourceLimit,
                "the " + std::string(what) + " has " + std::to_string(children.size()) + " axes, more than CheckpointLimits::max_rank");
  }
  Shape result;
  for (const NodeId child : children) result.push_back(integer(child, what));
  return result;
}

bool ObjectBuilder::is_global(NodeId node, GlobalKind kind) const {
  return store_.kind(node) == NodeKind::kGlobal && state_.global(node).kind == kind;
}

NodeId ObjectBuilder::global(std::string_view module, std::string_view name) {
  constexpr size_t kLongestName = 1024;
  if (module.size() > kLongestName || name.size() > kLongestName) invalid("a global has a name of more than 1024 bytes");
  Global global = classify_global(module, name, state_.options.opaque_globals);
  if (global.kind == GlobalKind::kOpaque) return store_.add_owned_text(NodeKind::kOpaque, std::move(global.name));
  if (global.kind == GlobalKind::kTorchDType) return store_.add_owned_text(NodeKind::kString, std::move(global.name));
  state_.globals.push_back(std::move(global));
  return store_.add(NodeKind::kGlobal, static_cast<int64_t>(state_.globals.size() - 1));
}

NodeId ObjectBuilder::reduce(NodeId function, NodeId arguments) {
  if (store_.kind(arguments) != NodeKind::kTuple)
    invalid("the arguments of a REDUCE are a " + std::string(kind_name(store_.kind(arguments))));
  if (store_.kind(function) == NodeKind::kOpaque) return store_.add_text(NodeKind::kOpaque, store_.text(function));
  if (store_.kind(function) != NodeKind::kGlobal) invalid("REDUCE calls a " + std::string(kind_name(store_.kind(function))));
  state_.charge(store_.children(arguments).size());
  const Global global = state_.global(function);
  const Arguments values = store_.children(arguments);
  switch (global.kind) {
    case GlobalKind::kDict:
      return make_dict(values);
    case GlobalKind::kDefaultDict:
      return make_default_dict(values);
    case GlobalKind::kList:
      return make_copy(NodeKind::kList, values);
    case GlobalKind::kSet:
      return make_copy(NodeKind::kSet, values);
    case GlobalKind::kByteArray:
      return make_bytes(values);
    case GlobalKind::kEncode:
      return encode(values);
    case GlobalKind::kNumpyType:
    case GlobalKind::kNumpyScalar:
    case GlobalKind::kNumpyFromBuffer:
    case GlobalKind::kNumpyReconstruct:
      return reduce_numpy(global, values);
    default:
      return reduce_torch(global, values);
  }
}

NodeId ObjectBuilder::reduce_torch(const Global& function, const Arguments& arguments) {
  switch (function.kind) {
    case GlobalKind::kRebuildTensor:
    case GlobalKind::kRebuildTensorV2:
    case GlobalKind::kRebuildTensorV3:
      return make_tensor(function, arguments);
    case GlobalKind::kRebuildParameter:
    case GlobalKind::kTensorType:
      return first_tensor(arguments, function.name);
    case GlobalKind::kRebuildFromType:
      return make_from_type(arguments);
    case GlobalKind::kSize:
      return make_copy(NodeKind::kTuple, arguments);
    case GlobalKind::kDevice:
      return make_device(arguments);
    case GlobalKind::kGetLayout: {
      expect_count(arguments.size(), 1, 1, function.name);
      return argument(arguments, 0, NodeKind::kString, function.name);
    }
    default:
      invalid("the pickle calls " + quote(function.name) + ", which is a name of data here, not a function");
  }
}

// OrderedDict(), OrderedDict([[key, value], ...]) of older Pythons, Counter({...}).
NodeId ObjectBuilder::make_dict(const Arguments& arguments) {
  expect_count(arguments.size(), 0, 1, "a dict");
  std::vector<NodeId> children;
  if (arguments.size() == 1) {
    const NodeId source = arguments[0];
    if (store_.kind(source) == NodeKind::kDict) {
      children = store_.children(source);
    } else {
      if (!store_.is_sequence(source)) invalid("a dict is made from a " + std::string(kind_name(store_.kind(source))));
      for (const NodeId pair : store_.children(source)) {
        if (!store_.is_sequence(pair) || store_.children(pair).size() != 2)
          invalid("a dict is made from a list that has other things than pairs");
        children.insert(children.end(), store_.children(pair).begin(), store_.children(pair).end());
      }
    }
    state_.charge(children.size());
  }
  return store_.add_items(NodeKind::kDict, std::move(children));
}

NodeId ObjectBuilder::make_default_dict(const Arguments& arguments) {
  expect_count(arguments.size(), 0, 2, "collections.defaultdict");
  return make_dict(arguments.size() == 2 ? Arguments{arguments[1]} : Arguments{});
}

NodeId ObjectBuilder::make_copy(NodeKind kind, const Arguments& arguments) {
  expect_count(arguments.size(), 0, 1, kind_name(kind));
  std::vector<NodeId> children;
  if (arguments.size() == 1) {
    if (!store_.is_sequence(arguments[0])) {
      invalid("a " + std::string(kind_name(kind)) + " is made from a " + std::string(kind_name(store_.kind(arguments[0]))));
    }
    children = store_.children(arguments[0]);
    state_.charge(children.size());
  }
  return store_.add_items(kind, std::move(children));
}

NodeId ObjectBuilder::make_bytes(const Arguments& arguments) {
  if (arguments.empty()) return store_.add_text(NodeKind::kBytes, {});
  if (arguments.size() == 2) return encode(arguments);
  expect_count(arguments.size(), 1, 1, "bytearray");
  return store_.add_text(NodeKind::kBytes, store_.text(argument(arguments, 0, NodeKind::kBytes, "bytearray")));
}

// Each code point of the string is one byte.
NodeId ObjectBuilder::encode(const Arguments& arguments) {
  expect_count(arguments.size(), 2, 2, "_codecs.encode");
  const std::string_view text = store_.text(argument(arguments, 0, NodeKind::kString, "_codecs.encode"));
  const std::string_view codec = string(arguments[1], "codec");
  if (codec != "latin1" && codec != "latin-1" && codec != "iso-8859-1") invalid("_codecs.encode is asked for codec " + quote(codec));
  state_.charge(text.size() / 8);
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t lead = static_cast<uint8_t>(text[i]);
    if (lead > 0xC3) invalid("a string that stands for bytes has a character beyond latin-1");
    bytes.push_back(lead < 0x80 ? text[i] : static_cast<char>((lead & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F)));
  }
  return store_.add_owned_text(NodeKind::kBytes, std::move(bytes));
}

// (storage, offset, size, stride), then requires_grad and backward hooks, which are left aside; v3: the element type; last: metadata.
NodeId ObjectBuilder::make_tensor(const Global& function, const Arguments& arguments) {
  const bool v3 = function.kind == GlobalKind::kRebuildTensorV3;
  expect_count(arguments.size(), function.kind == GlobalKind::kRebuildTensor ? 4 : (v3 ? 7 : 6), v3 ? 8 : 7, function.name);
  const NodeId storage_node = argument(arguments, 0, NodeKind::kStorage, function.name);
  const StorageRef& storage = state_.references[static_cast<size_t>(store_.node(storage_node).value)];
  TensorSpec tensor{storage.storage, {.dtype = storage.dtype}};
  if (v3) {
    const std::string_view name = string(arguments[6], "element type of a tensor");
    const auto dtype = name.starts_with("torch.") ? dtype_of_torch(name.substr(6)) : std::nullopt;
    if (!dtype) throw Error(ErrorCode::kUnsupported, "a tensor has the element type " + quote(name));
    tensor.view.dtype = *dtype;
  }
  const int64_t offset = integer(arguments[1], "offset of a tensor");
  if (__builtin_add_overflow(storage.offset, offset, &tensor.view.offset) || offset < 0) {
    invalid("a tensor starts at offset " + std::to_string(offset));
  }
  tensor.view.size = sizes(arguments[2], "size of a tensor");
  tensor.view.stride = sizes(arguments[3], "stride of a tensor");
  if (arguments.size() > (v3 ? 7u : 6u)) read_metadata(arguments.back(), tensor.view);
  add_tensor(std::move(tensor));
  return store_.add(NodeKind::kTensor, static_cast<int64_t>(state_.tensors.size() - 1));
}

void ObjectBuilder::add_tensor(TensorSpec tensor) {
  const uint64_t limit = state_.options.limits.max_tensors;
  if (state_.tensors.size() >= limit) {
    throw Error(ErrorCode::kResourceLimit, "there are more than " + std::to_string(limit) + " tensors (CheckpointLimits::max_tensors)");
  }
  state_.tensors.push_back(std::move(tensor));
}

void ObjectBuilder::read_metadata(NodeId metadata, ElementView& view) const {
  if (store_.kind(metadata) == NodeKind::kNone) return;
  if (store_.kind(metadata) != NodeKind::kDict) invalid("the metadata of a tensor is a " + std::string(kind_name(store_.kind(metadata))));
  const std::vector<NodeId>& children = store_.children(metadata);
  for (size_t i = 0; i < children.size(); i += 2) {
    const std::string_view name = string(children[i], "name of tensor metadata");
    if (store_.kind(children[i + 1]) != NodeKind::kBool) invalid("the tensor metadata " + quote(name) + " is not a bool");
    const bool is_set = store_.node(children[i + 1]).value != 0;
    if (name == "conj") {
      view.conjugated = is_set;
    } else if (name == "neg") {
      view.negated = is_set;
    } else {
      throw Error(ErrorCode::kUnsupported, "a tensor has the metadata " + quote(name));
    }
  }
}

NodeId ObjectBuilder::first_tensor(const Arguments& arguments, std::string_view what) const {
  expect_count(arguments.size(), 1, 4, what);
  return argument(arguments, 0, NodeKind::kTensor, what);
}

// (function, type, arguments, state) for tensors with Python attributes; these are left aside.
NodeId ObjectBuilder::make_from_type(const Arguments& arguments) {
  expect_count(arguments.size(), 4, 4, "_rebuild_from_type_v2");
  if (!is_global(arguments[1], GlobalKind::kTensorType)) {
    throw Error(ErrorCode::kUnsupported, "a tensor of a subclass is in the file. Cure: re-save tensor.as_subclass(torch.Tensor)");
  }
  const Global function = state_.global(argument(arguments, 0, NodeKind::kGlobal, "_rebuild_from_type_v2"));
  if (function.kind == GlobalKind::kRebuildFromType) invalid("_rebuild_from_type_v2 is nested");
  const Arguments inner = store_.children(argument(arguments, 2, NodeKind::kTuple, "_rebuild_from_type_v2"));
  const NodeId made = reduce_torch(function, inner);
  if (store_.kind(made) != NodeKind::kTensor) invalid("_rebuild_from_type_v2 makes no tensor");
  return made;
}

NodeId ObjectBuilder::make_device(const Arguments& arguments) {
  expect_count(arguments.size(), 1, 2, "torch.device");
  std::string name(string(arguments[0], "device"));
  if (arguments.size() == 2 && store_.kind(arguments[1]) != NodeKind::kNone)
    name += ":" + std::to_string(integer(arguments[1], "device index"));
  return store_.add_owned_text(NodeKind::kString, std::move(name));
}

void ObjectBuilder::build(NodeId object, NodeId object_state) {
  const NodeKind kind = store_.kind(object);
  const NodeKind state_kind = store_.kind(object_state);
  if (kind == NodeKind::kOpaque) return;
  if (kind == NodeKind::kDict || kind == NodeKind::kTensor) {
    // Attributes (`_metadata` of a state dict, requires_grad of a parameter): no data of ours.
    if (state_kind == NodeKind::kDict || state_kind == NodeKind::kTuple || state_kind == NodeKind::kNone) return;
    invalid("BUILD gives a " + std::string(kind_name(kind)) + " the state of a " + std::string(kind_name(state_kind)));
  }
  if (kind != NodeKind::kNumpyType && kind != NodeKind::kNumpyArray) invalid("BUILD is applied to a " + std::string(kind_name(kind)));
  const Arguments values = store_.children(argument({object_state}, 0, NodeKind::kTuple, "BUILD"));
  if (kind == NodeKind::kNumpyType) return build_numpy_type(object, values);
  build_numpy_array(object, values);
}

size_t ObjectBuilder::storage_index(const std::string& key, DType dtype, int64_t count) {
  constexpr size_t kLongestKey = 1024;
  if (key.size() > kLongestKey) invalid("a storage has a key of " + std::to_string(key.size()) + " bytes");
  const StorageSpec spec{key, dtype, count, false, {}};
  const uint64_t bytes = byte_count(spec);
  const auto [found, is_new] = state_.storage_of_key.emplace(key, state_.storages.size());
  if (is_new) {
    state_.storages.push_back(spec);
  } else if (byte_count(state_.storages[found->second]) != bytes) {
    invalid("storage " + quote(key) + " is mentioned with different sizes");
  }
  return found->second;
}

NodeId ObjectBuilder::storage(NodeId persistent_id) {
  constexpr std::string_view kWhat = "persistent id";
  if (store_.kind(persistent_id) != NodeKind::kTuple) {
    throw Error(ErrorCode::kUnsupported, "the pickle has a persistent id that is a " + std::string(kind_name(store_.kind(persistent_id))) +
                                             ", not torch's tuple. Cure: re-save with torch.save");
  }
  const Arguments parts = store_.children(persistent_id);
  if (parts.empty() || string(parts[0], kWhat) != "storage") {
    const std::string name = parts.empty() ? "''" : quote(store_.text(parts[0]));
    throw Error(ErrorCode::kUnsupported,
                "the file holds a persistent object of kind " + name +
                    "; 'module' is a whole module saved with its source. Cure: torch.save(model.state_dict(), path)");
  }
  expect_count(parts.size(), 5, 6, kWhat);
  const Global type = state_.global(argument(parts, 1, NodeKind::kGlobal, kWhat));
  if (type.kind != GlobalKind::kStorageType && type.kind != GlobalKind::kUntypedStorageType) {
    invalid("a storage has the type " + quote(type.name) + ", which is none");
  }
  const bool untyped = type.kind == GlobalKind::kUntypedStorageType;
  const DType dtype = untyped ? DType::kUInt8 : type.dtype;
  const std::string key = store_.kind(parts[2]) == NodeKind::kInt ? std::to_string(store_.node(parts[2]).value)
                                                                  : std::string(string(parts[2], "key of a storage"));
  const int64_t count = integer(parts[4], "size of a storage");
  StorageRef reference{storage_index(key, dtype, count), dtype, untyped, 0, count};
  if (parts.size() == 6 && store_.kind(parts[5]) != NodeKind::kNone) reference = part_of(reference, parts[5]);
  state_.references.push_back(reference);
  return store_.add(NodeKind::kStorage, static_cast<int64_t>(state_.references.size() - 1));
}

// (key of the view, offset, size), of files older than torch 0.4.
StorageRef ObjectBuilder::part_of(const StorageRef& whole, NodeId view) const {
  const Arguments parts = store_.children(argument({view}, 0, NodeKind::kTuple, "view of a storage"));
  expect_count(parts.size(), 3, 3, "view of a storage");
  StorageRef part = whole;
  part.offset = integer(parts[1], "offset of a storage view");
  part.count = integer(parts[2], "size of a storage view");
  if (part.offset < 0 || part.count < 0 || part.offset > whole.count || part.count > whole.count - part.offset) {
    invalid("a view of a storage covers elements " + std::to_string(part.offset) + " to " + std::to_string(part.count) + " further, of " +
            std::to_string(whole.count));
  }
  return part;
}

}  // namespace sardonyx::checkpoint
