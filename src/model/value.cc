// Values from the messages of onnx-data.proto.
#include "sardonyx/value.h"

#include <algorithm>

#include "core/mapped_file.h"
#include "model/decoder.h"
#include "model/value_messages.h"

namespace sardonyx::model {
namespace {

Error invalid(std::string message) { return Error(ErrorCode::kInvalidModel, std::move(message)); }

[[noreturn]] void refuse_sparse() {
  throw Error(ErrorCode::kUnsupported, "it holds a sparse tensor, which is not supported; store it as a dense one");
}

Tensor value_of(const SequenceData& data);
Tensor value_of(const MapData& data);
Tensor value_of(const OptionalData& data);
Tensor value_of(const TensorData& data) { return decode(data); }
template <class T>
Tensor value_of(const std::shared_ptr<T>& data) {
  return value_of(*data);
}

template <class Items>
Tensor sequence_of(const Items& items) {
  std::vector<Tensor> values;
  values.reserve(items.size());
  for (const auto& item : items) {
    values.push_back(with_trail([&] { return "item " + std::to_string(values.size()); }, [&] { return value_of(item); }));
  }
  return Tensor::of_tensors(std::move(values));
}

Tensor value_of(const SequenceData& data) {
  switch (data.elem_type) {
    case SequenceData::kTensor:
      return sequence_of(data.tensors);
    case SequenceData::kSparseTensor:
      refuse_sparse();
    case SequenceData::kSequence:
      return sequence_of(data.sequences);
    case SequenceData::kMap:
      return sequence_of(data.maps);
    case SequenceData::kOptional:
      return sequence_of(data.optionals);
    default:
      throw invalid("a sequence has the unknown kind of items " + std::to_string(data.elem_type));
  }
}

Tensor keys_of(const MapData& data) {
  const auto type = static_cast<DType>(data.key_type);
  if (type == DType::kString) {
    std::vector<std::string> keys;
    for (const Bytes& key : data.string_keys) keys.emplace_back(key.text());
    Shape shape = {static_cast<int64_t>(keys.size())};
    return Tensor::of_strings(std::move(shape), std::move(keys));
  }
  if (!is_integral(type) || bit_width(type) < 8) throw invalid("a map has keys of the type " + std::to_string(data.key_type));
  return Tensor::of<int64_t>({static_cast<int64_t>(data.keys.size())}, data.keys).to(type);
}

// One tensor where each value of the map is one element; else the sequence.
Tensor joined(const Tensor& values) {
  const std::span<const Tensor> items = values.tensors();
  const auto is_element = [&](const Tensor& item) {
    return item.defined() && item.dtype() == items[0].dtype() && bit_width(item.dtype()) >= 8 && item.numel() == 1;
  };
  if (items.empty()) return values;
  if (std::ranges::all_of(items,
                          [](const Tensor& item) { return item.defined() && item.dtype() == DType::kString && item.numel() == 1; })) {
    std::vector<std::string> words;
    for (const Tensor& item : items) words.push_back(item.strings()[0]);
    return Tensor::of_strings({values.numel()}, std::move(words));
  }
  if (!std::ranges::all_of(items, is_element)) return values;
  Tensor result = Tensor::empty({values.numel()}, items[0].dtype());
  const size_t bytes = items[0].byte_size();
  auto* to = static_cast<std::byte*>(result.mutable_raw());
  for (const Tensor& item : items) {
    std::copy_n(static_cast<const std::byte*>(item.raw()), bytes, to);
    to += bytes;
  }
  return result;
}

Tensor value_of(const MapData& data) {
  const Tensor keys = keys_of(data), values = value_of(data.values);
  if (keys.numel() != values.numel()) {
    throw invalid("a map has " + std::to_string(keys.numel()) + " keys and " + std::to_string(values.numel()) + " values");
  }
  return Tensor::of_tensors({keys, joined(values)});
}

// The kind of its element tells nothing where there is none.
Tensor value_of(const OptionalData& data) {
  if (data.has_sparse_tensor) refuse_sparse();
  if (data.has_tensor) return value_of(data.tensor);
  if (data.sequence) return value_of(*data.sequence);
  if (data.map) return value_of(*data.map);
  if (data.optional) return value_of(*data.optional);
  return {};
}

template <class M>
Tensor decoded(std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  M message;
  decode_message(message, bytes, owner, limits);
  return value_of(message);
}

}  // namespace

Tensor parse_value(std::string_view bytes, std::shared_ptr<const void> owner, const Type& type, const ReadLimits& limits) {
  const Bytes kept = owner ? Bytes::view(owner, bytes) : Bytes::copy_of(bytes);
  const std::shared_ptr<const void>& keeper = kept.owner();
  if (type.tensor() != nullptr) return decoded<TensorData>(kept.text(), keeper, limits);
  if (std::holds_alternative<SequenceType>(type.value)) return decoded<SequenceData>(kept.text(), keeper, limits);
  if (std::holds_alternative<MapType>(type.value)) return decoded<MapData>(kept.text(), keeper, limits);
  if (std::holds_alternative<OptionalType>(type.value)) return decoded<OptionalData>(kept.text(), keeper, limits);
  throw Error(ErrorCode::kUnsupported, "values of the type " + type_string(type) + " cannot be read");
}

Tensor read_value(const std::filesystem::path& path, const Type& type, const ReadLimits& limits) {
  const std::shared_ptr<const core::MappedFile> file = core::MappedFile::open(path);
  return with_trail([&] { return path.string(); }, [&] { return parse_value(file->text(), file, type, limits); });
}

}  // namespace sardonyx::model
