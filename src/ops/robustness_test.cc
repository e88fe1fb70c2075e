// Every operator on nodes and values that make no sense: a result or an Error, never anything else.
#include <array>

#include "ops/op_case.h"
#include "sardonyx/error.h"

namespace sardonyx::ops {
namespace {

class Nonsense {
 public:
  explicit Nonsense(unsigned seed) : generator_(seed) {}

  model::Node node(const Operator& row) {
    model::Node node;
    node.op_type = std::string(row.op_type);
    node.domain = std::string(row.domain);
    const int most = std::min(row.max_inputs, row.min_inputs + 3);
    for (int i = 0, count = number(row.min_inputs, most); i < count; ++i) node.input.push_back("x" + std::to_string(i));
    for (int i = 0, count = number(1, std::min(row.max_outputs, 3)); i < count; ++i) node.output.push_back("y" + std::to_string(i));
    if (number(0, 9) == 0) node.output.back().clear();
    constexpr std::array<const char*, 49> kNames = {"axis",
                                                    "axes",
                                                    "perm",
                                                    "kernel_shape",
                                                    "strides",
                                                    "pads",
                                                    "dilations",
                                                    "group",
                                                    "to",
                                                    "blocksize",
                                                    "keepdims",
                                                    "ceil_mode",
                                                    "split",
                                                    "starts",
                                                    "ends",
                                                    "shape",
                                                    "output_size",
                                                    "allowzero",
                                                    "start",
                                                    "end",
                                                    "value_int",
                                                    "transA",
                                                    "spatial",
                                                    "broadcast",
                                                    "value_ints",
                                                    "paddings",
                                                    "noop_with_empty_axes",
                                                    "transB",
                                                    "is_test",
                                                    "storage_order",
                                                    "k",
                                                    "largest",
                                                    "sorted",
                                                    "batch_dims",
                                                    "exclusive",
                                                    "reverse",
                                                    "upper",
                                                    "num_groups",
                                                    "p",
                                                    "size",
                                                    "batch_axis",
                                                    "time_axis",
                                                    "sample_size",
                                                    "dtype",
                                                    "ignore_index",
                                                    "training_mode",
                                                    "fmod",
                                                    "periodic",
                                                    "stash_type"};
    for (const char* name : kNames) {
      if (number(0, 2) == 0) node.attribute.push_back(attribute(name));
    }
    if (number(0, 2) == 0) node.attribute.push_back(model::Attribute::of("auto_pad", pick({"SAME_UPPER", "SAME_LOWER", "VALID", "odd"})));
    if (number(0, 2) == 0) node.attribute.push_back(model::Attribute::of("mode", pick({"CRD", "reflect", "edge", "wrap", "odd"})));
    if (number(0, 2) == 0) node.attribute.push_back(model::Attribute::of("reduction", pick({"none", "add", "max", "mean", "sum", "odd"})));
    if (number(0, 2) == 0) node.attribute.push_back(model::Attribute::of("direction", pick({"LEFT", "RIGHT", "odd"})));
    if (number(0, 1) == 0)
      node.attribute.push_back(model::Attribute::of("equation", pick({"ij,jk", "...a->a...", "ii", "a,b,c,d", ",->.."})));
    return node;
  }

  Tensor tensor() {
    if (number(0, 9) == 0) return {};
    Shape shape;
    for (int i = 0, rank = number(0, 5); i < rank; ++i) shape.push_back(number(0, 4));
    if (number(0, 19) == 0) shape.insert(shape.end(), {0, int64_t{1} << 40, int64_t{1} << 40});  // holds nothing
    const DType dtype = number(0, 2) == 0   ? static_cast<DType>(number(1, kDTypeCount - 1))
                        : number(0, 1) == 0 ? DType::kFloat32
                                            : DType::kInt64;
    Tensor result = Tensor::zeros(std::move(shape), dtype);
    if (dtype == DType::kInt64) {
      for (int64_t& value : result.mutable_values<int64_t>()) value = integer();
    } else if (dtype == DType::kFloat32) {
      for (float& value : result.mutable_values<float>()) value = static_cast<float>(number(-3, 3));
    }
    return result;
  }

  int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(generator_); }

 private:
  int64_t integer() {
    constexpr std::array<int64_t, 6> kExtremes = {std::numeric_limits<int64_t>::min(),
                                                  std::numeric_limits<int64_t>::max(),
                                                  int64_t{1} << 38,
                                                  int64_t{1} << 40,
                                                  -(int64_t{1} << 40),
                                                  int64_t{1} << 62};
    return number(0, 9) == 0 ? kExtremes[static_cast<size_t>(number(0, 5))] : number(-3, 4);
  }

  model::Attribute attribute(const char* name) {
    if (number(0, 1) == 0) return model::Attribute::of(name, integer());
    std::vector<int64_t> values(static_cast<size_t>(number(0, 6)));
    for (int64_t& value : values) value = integer();
    return model::Attribute::of(name, std::move(values));
  }

  const char* pick(std::initializer_list<const char*> texts) { return *(texts.begin() + number(0, static_cast<int>(texts.size()) - 1)); }

  std::mt19937 generator_;
};

TEST(Robustness, NonsenseGivesErrors) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Nonsense nonsense(seed);
  int results = 0, errors = 0;
  for (const Operator& row : all_operators()) {
    for (int round = 0; round < 200; ++round) {
      const model::Node node = nonsense.node(row);
      std::vector<Tensor> inputs;
      for (size_t i = 0; i < node.input.size(); ++i) inputs.push_back(nonsense.tensor());
      try {
        const std::vector<Tensor> outputs = evaluate(node, nonsense.number(1, 27), inputs);
        EXPECT_EQ(outputs.size(), node.output.size()) << row.op_type;
        ++results;
      } catch (const Error& error) {
        EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
        ++errors;
      }
    }
  }
  EXPECT_GT(results, 500);
  EXPECT_GT(errors, 500);
}

}  // namespace
}  // namespace sardonyx::ops
