#include "sardonyx/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <random>

namespace sardonyx {
namespace {

using testing::ElementsAre;

Tensor parse(const std::string& bytes) { return parse_npy(std::as_bytes(std::span(bytes.data(), bytes.size()))); }

std::string file(const std::string& dict, const std::string& payload) {
  std::string header = dict + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xff) + static_cast<char>(header.size() >> 8) + header +
         payload;
}

template <class T>
void expect_round_trip(const Tensor& tensor) {
  const std::string bytes = serialize_npy(tensor);
  EXPECT_EQ((bytes.find('\n') + 1) % 64, 0u);
  const Tensor back = parse(bytes);
  EXPECT_EQ(back.dtype(), tensor.dtype());
  EXPECT_EQ(back.shape(), tensor.shape());
  EXPECT_TRUE(std::ranges::equal(back.values<T>(), tensor.values<T>()));
}

TEST(Npy, RoundTrips) {
  expect_round_trip<float>(Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  expect_round_trip<int64_t>(Tensor::of<int64_t>({4}, {-1, 2, 3, 1LL << 60}));
  expect_round_trip<double>(Tensor::scalar(2.5));
  expect_round_trip<bool>(Tensor::of<bool>({2}, {true, false}));
  expect_round_trip<Float16>(Tensor::of<Float16>({1}, {Float16::from_float(3)}));
  expect_round_trip<std::complex<float>>(Tensor::of<std::complex<float>>({1}, {{1, 2}}));
  expect_round_trip<uint8_t>(Tensor({0, 3}, DType::kUInt8));
  expect_round_trip<std::string>(Tensor::of_strings({2}, {"grüße 🐈", ""}));
}

TEST(Npy, TypesThatNumPyLacksKeepTheirValues) {
  EXPECT_THAT(parse(serialize_npy(Tensor::of<BFloat16>({1}, {BFloat16::from_float(1.5f)}))).values<float>(), ElementsAre(1.5f));
  const uint8_t packed[] = {0x8f};
  EXPECT_THAT(parse(serialize_npy(Tensor::view(nullptr, packed, {2}, DType::kInt4))).values<int8_t>(), ElementsAre(-1, -8));
  EXPECT_THAT(parse(serialize_npy(Tensor::view(nullptr, packed, {4}, DType::kUInt2))).values<uint8_t>(), ElementsAre(3, 3, 0, 2));
  EXPECT_THAT(parse(serialize_npy(Tensor::view(nullptr, packed, {1}, DType::kFloat8E4M3FN))).values<float>(), ElementsAre(-0.029296875f));
}

TEST(Npy, ReadsOtherOrders) {
  const std::string big("\x00\x01\x00\x02\x00\x03\x00\x04", 8);
  EXPECT_THAT(parse(file("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }", big)).values<int16_t>(), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(parse(file("{'shape': (2,), 'fortran_order': False, 'descr': '|S3'}", std::string("ab\0xyz", 6))).strings(),
              ElementsAre("ab", "xyz"));
}

TEST(Npy, DamagedFilesAreErrors) {
  const std::string good = serialize_npy(Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  for (size_t length = 0; length < good.size(); ++length) EXPECT_THROW(parse(good.substr(0, length)), Error) << length;
  for (const char* dict :
       {"", "{", "{}", "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999, 99), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "{'descr': 'O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O8', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", "{'descr': '<U', 'fortran_order': False, 'shape': ()}",
        "{'descr': '|S0', 'fortran_order': False, 'shape': (99999999999,)}", "{'a': 'b', 'c': 'd', 'e': 'f'}"}) {
    EXPECT_THROW(parse(file(dict, "12345678")), Error) << dict;
  }
}

TEST(Npy, StringsThatAreNotUnicodeAreNotWritten) {
  for (const char* text : {"\xf7\xbf\xbf\xbf", "\xed\xa0\x80", "\xc0\xaf", "\xff"}) {
    Tensor tensor(Shape{1}, DType::kString);
    tensor.mutable_values<std::string>()[0] = text;
    EXPECT_THROW(serialize_npy(tensor), Error) << text;
  }
}

TEST(Npy, RandomBytesNeverCrash) {
  const std::string good = serialize_npy(Tensor::of_strings({2}, {"one", "two"}));
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      EXPECT_TRUE(parse(bytes).defined());
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace sardonyx
