#include <gmock/gmock.h>

#include <numbers>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

double oracle(const std::string& op, double i, double period) {
  const double t = 2 * std::numbers::pi * i / period;
  if (op == "HannWindow") return std::pow(std::sin(t / 2), 2);
  if (op == "HammingWindow") return 25.0 / 46 - (1 - 25.0 / 46) * std::cos(t);
  return 0.42 - 0.5 * std::cos(t) + 0.08 * std::cos(2 * t);
}

TEST(WindowFunctions, PeriodicAndSymmetric) {
  for (const char* op : {"HannWindow", "HammingWindow", "BlackmanWindow"}) {
    for (const int64_t periodic : {0, 1}) {
      std::vector<double> expected(1001);
      for (size_t i = 0; i < 1001; ++i) expected[i] = oracle(op, static_cast<double>(i), periodic != 0 ? 1001 : 1000);
      for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
        OpCase node(op);
        node.attribute("periodic", periodic).attribute("output_datatype", static_cast<int64_t>(dtype));
        expect_close(node.run({Tensor::scalar<int32_t>(1001)}), {1001}, expected, dtype == DType::kFloat16 ? 1e-3 : 1e-6);
      }
    }
    EXPECT_EQ(OpCase(op).run({int64s({0})}).shape(), (Shape{0}));
    OpCase one(op);
    EXPECT_FLOAT_EQ(one.attribute("periodic", 0).run({int64s({1})}).item<float>(), 1);
    EXPECT_EQ(OpCase(op).error({int64s({-1})}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(OpCase(op).error({floats({}, {3})}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(OpCase(op).attribute("output_datatype", 8).error({int64s({1})}).first, ErrorCode::kInvalidModel);
    EXPECT_EQ(OpCase(op).error({int64s({int64_t{1} << 60})}).first, ErrorCode::kResourceLimit);
  }
}

}  // namespace
}  // namespace sardonyx::ops
