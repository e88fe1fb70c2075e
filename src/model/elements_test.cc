// decode() and encode(): every element type, from raw bytes and from typed fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <cstring>
#include <functional>
#include <random>

#include "core/float8.h"
#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const TensorData& tensor, ErrorCode code = ErrorCode::kInvalidModel) {
  try {
    decode(tensor);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TensorData described(DType dtype, Shape dims) {
  TensorData tensor;
  tensor.name = "w";
  tensor.data_type = static_cast<int32_t>(dtype);
  tensor.dims = std::move(dims);
  return tensor;
}

template <class T>
T load(const uint8_t* bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

template <class Out, class In>
void spread(std::vector<Out>& out, const std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < bytes.size() / sizeof(In); ++i) out.push_back(static_cast<Out>(load<In>(bytes.data(), i)));
}

// Puts elements that stand as raw bytes into the typed field that onnx.proto names for their type.
void fill_typed_field(TensorData& tensor, const std::vector<uint8_t>& bytes) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
    case DType::kComplex64:
      return spread<float, float>(tensor.float_data, bytes);
    case DType::kFloat64:
    case DType::kComplex128:
      return spread<double, double>(tensor.double_data, bytes);
    case DType::kInt64:
      return spread<int64_t, int64_t>(tensor.int64_data, bytes);
    case DType::kUInt64:
      return spread<uint64_t, uint64_t>(tensor.uint64_data, bytes);
    case DType::kUInt32:
      return spread<uint64_t, uint32_t>(tensor.uint64_data, bytes);
    case DType::kInt32:
      return spread<int32_t, int32_t>(tensor.int32_data, bytes);
    case DType::kInt16:
      return spread<int32_t, int16_t>(tensor.int32_data, bytes);
    case DType::kUInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return spread<int32_t, uint16_t>(tensor.int32_data, bytes);
    case DType::kInt8:
      return spread<int32_t, int8_t>(tensor.int32_data, bytes);
    default:
      return spread<int32_t, uint8_t>(tensor.int32_data, bytes);
  }
}

class EveryDType : public testing::TestWithParam<int> {};

TEST_P(EveryDType, RawBytesAndTypedFieldsGiveTheSameElements) {
  const auto dtype = static_cast<DType>(GetParam());
  std::mt19937 random(7);
  for (const Shape& dims : {Shape{3, 5}, Shape{}, Shape{1}, Shape{4}, Shape{2, 0}}) {
    std::vector<uint8_t> bytes(storage_bytes(dtype, element_count(dims)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(dtype == DType::kBool ? random() % 2 : random());
    TensorData raw = described(dtype, dims);
    raw.raw_data = Bytes::copy_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    TensorData typed = described(dtype, dims);
    fill_typed_field(typed, bytes);
    for (const TensorData& tensor : {raw, typed}) {
      const Tensor elements = decode(parse_tensor(serialize(tensor), nullptr));
      ASSERT_EQ(elements.dtype(), dtype);
      ASSERT_EQ(elements.shape(), dims);
      ASSERT_EQ(elements.byte_size(), bytes.size());
      EXPECT_TRUE(bytes.empty() || std::memcmp(elements.raw(), bytes.data(), bytes.size()) == 0) << to_string(dtype);
    }
  }
}

TEST_P(EveryDType, EncodeSharesTheElements) {
  const auto dtype = static_cast<DType>(GetParam());
  const Tensor tensor = Tensor::zeros({2, 3}, dtype);
  const TensorData data = encode(tensor, "x");
  EXPECT_EQ(data.name, "x");
  EXPECT_EQ(data.raw_data.text().data(), static_cast<const char*>(tensor.raw()));
  const Tensor again = decode(data);
  EXPECT_EQ(again.dtype(), dtype);
  EXPECT_EQ(again.shape(), tensor.shape());
  EXPECT_EQ(again.raw(), tensor.raw());
}

TEST_P(EveryDType, TheWrongAmountOfDataIsAnError) {
  const auto dtype = static_cast<DType>(GetParam());
  TensorData raw = described(dtype, {9});
  const size_t bytes = storage_bytes(dtype, 9);
  for (const size_t wrong : {bytes - 1, bytes + 1, size_t{1}}) {
    raw.raw_data = Bytes::copy_of(std::string(wrong, '\0'));
    EXPECT_THAT(error_of(raw), HasSubstr("bytes of data, where type and shape need " + std::to_string(bytes)));
  }
  TensorData typed = described(dtype, {9});
  fill_typed_field(typed, std::vector<uint8_t>(storage_bytes(dtype, 17)));
  EXPECT_THAT(error_of(typed), HasSubstr("entries, where type and shape need"));
}

INSTANTIATE_TEST_SUITE_P(All, EveryDType,
                         testing::Values(1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26),
                         [](const auto& dtype) { return std::string(to_string(static_cast<DType>(dtype.param))); });

TEST(Decode, Strings) {
  const Tensor tensor = Tensor::of_strings({2}, {"first", std::string("\0x", 2)});
  const TensorData data = encode(tensor);
  EXPECT_EQ(data.string_data[0].text().data(), tensor.strings()[0].data());
  const Tensor again = decode(parse_tensor(serialize(data), nullptr));
  EXPECT_THAT(again.strings(), ElementsAre("first", std::string("\0x", 2)));

  TensorData raw = described(DType::kString, {1});
  raw.raw_data = Bytes::copy_of("x");
  EXPECT_THAT(error_of(raw), HasSubstr("string_data is the only place"));
  TensorData few = described(DType::kString, {int64_t{1} << 40});
  few.string_data = {Bytes::copy_of("a")};
  EXPECT_THAT(error_of(few), HasSubstr("string_data has 1 entries"));
}

TEST(Decode, RawBytesAreAViewWhereTheirAlignmentAllows) {
  const auto storage = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  const std::string_view all(reinterpret_cast<const char*>(storage->data()), 12);
  TensorData tensor = described(DType::kFloat32, {2});
  tensor.raw_data = Bytes::view(storage, all.substr(4));
  const Tensor view = decode(tensor);
  EXPECT_EQ(view.raw(), storage->data() + 1);
  EXPECT_TRUE(view.is_read_only());
  EXPECT_THAT(view.values<float>(), ElementsAre(2, 3));

  tensor.dims = {1};
  tensor.raw_data = Bytes::view(storage, all.substr(2, 4));
  const Tensor copy = decode(tensor);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(copy.raw()) % 64, 0u);
  EXPECT_EQ(std::memcmp(copy.raw(), all.data() + 2, 4), 0);
}

TEST(Decode, ABoolIsZeroOrOneWhateverTheFileSays) {
  TensorData raw = described(DType::kBool, {3});
  raw.raw_data = Bytes::copy_of(std::string("\0\7\1", 3));
  EXPECT_THAT(decode(raw).values<bool>(), ElementsAre(false, true, true));
  TensorData typed = described(DType::kBool, {2});
  typed.int32_data = {0, -5};
  EXPECT_THAT(decode(typed).values<bool>(), ElementsAre(false, true));
}

TEST(Decode, EntriesMustFitTheElementType) {
  TensorData bytes = described(DType::kUInt8, {2});
  bytes.int32_data = {255, -1};
  EXPECT_THAT(decode(bytes).values<uint8_t>(), ElementsAre(255, 255));
  bytes.int32_data = {0, 256};
  EXPECT_THAT(error_of(bytes), HasSubstr("tensor 'w' (uint8): int32_data[1] = 256 does not fit in 8 bits"));
  TensorData half = described(DType::kFloat16, {1});
  half.int32_data = {-32769};
  EXPECT_THAT(error_of(half), HasSubstr("does not fit in 16 bits"));
  TensorData words = described(DType::kUInt32, {1});
  words.uint64_data = {uint64_t{1} << 32};
  EXPECT_THAT(error_of(words), HasSubstr("does not fit in 32 bits"));
  words.uint64_data = {~uint64_t{0} >> 1};
  EXPECT_THAT(error_of(words), HasSubstr("does not fit in 32 bits"));
}

TEST(Decode, PackedElementsStandLowestBitsFirst) {
  TensorData nibbles = described(DType::kUInt4, {3});
  nibbles.int32_data = {0x21, 0x3};
  const Tensor tensor = decode(nibbles);
  const auto* data = static_cast<const uint8_t*>(tensor.raw());
  EXPECT_EQ(core::packed_get(data, 4, 0), 1);
  EXPECT_EQ(core::packed_get(data, 4, 1), 2);
  EXPECT_EQ(core::packed_get(data, 4, 2), 3);
}

TEST(Decode, WhatDoesNotFitTogetherIsRefused) {
  TensorData tensor = described(DType::kFloat32, {2});
  EXPECT_THAT(error_of(tensor), HasSubstr("tensor 'w' (float): it has no data, where shape [2] needs 2 elements"));
  tensor.int64_data = {1, 2};
  EXPECT_THAT(error_of(tensor), HasSubstr("float_data has 0 entries"));
  tensor.float_data = {1, 2};
  EXPECT_THAT(error_of(tensor), HasSubstr("more than one of its data fields"));
  tensor = described(DType::kFloat32, {2, -1});
  EXPECT_THAT(error_of(tensor), HasSubstr("negative size"));
  tensor = described(DType::kFloat32, {int64_t{1} << 40, int64_t{1} << 40});
  error_of(tensor, ErrorCode::kResourceLimit);
  tensor = described(DType::kFloat32, {int64_t{1} << 60});
  tensor.float_data = {1};
  EXPECT_THAT(error_of(tensor), HasSubstr("float_data has"));
  tensor = described(DType::kFloat32, {1});
  tensor.data_type = 99;
  EXPECT_THAT(error_of(tensor), HasSubstr("unknown element type 99"));
  tensor = described(DType::kFloat32, {1});
  tensor.has_segment = true;
  error_of(tensor, ErrorCode::kUnsupported);
  tensor = described(DType::kFloat32, {1});
  tensor.data_location = TensorData::Location::kExternal;
  EXPECT_THAT(error_of(tensor, ErrorCode::kInvalidArgument), HasSubstr("external data was not loaded"));
}

}  // namespace
}  // namespace sardonyx::model
