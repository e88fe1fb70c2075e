// Random neighbourhoods of convolutions and products, with and without the optimiser.
#include <cstdlib>

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;

// A chain of operators on (1, channels, size, size), the kinds that the rules look for and some that they do not.
class RandomChain {
 public:
  explicit RandomChain(uint32_t seed) : engine_(seed) {
    builder_.input("x", {1, channels_, size_, size_});
    describe("x");
    const size_t length = 3 + engine_() % 10;
    for (size_t i = 0; i < length; ++i) step();
    builder_.node("Identity", {value_}, {"y"}).output("y");
  }
  model::Model model() const { return builder_.build(); }

 private:
  size_t pick(size_t count) { return engine_() % count; }
  std::string fresh(const char* base) { return base + std::to_string(names_++); }
  void describe(const std::string& name) {
    builder_.info(name, {1, channels_, size_, size_});
    if (pick(4) == 0) kept_ = {name, channels_, size_};
    if (pick(12) == 0 && name != "x") builder_.output(name);
  }
  std::string constant(const char* base, Shape shape) {
    const std::string name = fresh(base);
    builder_.constant(name, random_tensor(std::move(shape), static_cast<uint32_t>(engine_())));
    return name;
  }
  void add(const char* op_type, std::vector<std::string> more = {}, std::vector<Attribute> attributes = {}, bool value_last = false) {
    std::vector<std::string> inputs = std::move(more);
    inputs.insert(value_last ? inputs.end() : inputs.begin(), value_);
    const std::string output = fresh("v");
    builder_.node(op_type, std::move(inputs), {output}, std::move(attributes));
    value_ = output;
    describe(output);
  }

  void convolve() {
    const int64_t kernel = 1 + 2 * static_cast<int64_t>(pick(2)), out = 2 * static_cast<int64_t>(1 + pick(3)), group = pick(3) == 0 ? 2 : 1;
    std::vector<std::string> more = {constant("w", {out, channels_ / group, kernel, kernel})};
    if (pick(2) == 0) more.push_back(constant("b", {out}));
    channels_ = out;
    const int64_t pad = kernel / 2;
    add("Conv", more, {Attribute::of("group", group), Attribute::of("pads", std::vector<int64_t>{pad, pad, pad, pad})});
  }
  void transpose_convolve() {
    const int64_t out = 2 * static_cast<int64_t>(1 + pick(3));
    std::vector<std::string> more = {constant("w", {channels_, out, 3, 3})};
    if (pick(2) == 0) more.push_back(constant("b", {out}));
    channels_ = out;
    add("ConvTranspose", more, {Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})});
  }
  void normalize() {
    std::vector<std::string> more;
    for (int i = 0; i < 3; ++i) more.push_back(constant("n", {channels_}));
    Tensor var = random_tensor({channels_}, 3);
    for (float& v : var.mutable_values<float>()) v += 1.25f;
    more.push_back(fresh("var"));
    builder_.constant(more.back(), var);
    add("BatchNormalization", more);
  }
  void per_channel() {
    const Shape shapes[] = {{channels_, 1, 1}, {1, channels_, 1, 1}, {}, {1}, {size_}};
    const char* const operators[] = {"Add", "Mul", "Sub"};
    add(operators[pick(3)], {constant("a", shapes[pick(5)])}, {}, pick(2) == 0);
  }
  void activate() {
    const char* const functions[] = {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "HardSwish"};
    if (pick(4) != 0) return add(functions[pick(6)]);
    const std::string gate = fresh("g");
    builder_.node("Sigmoid", {value_}, {gate});
    add("Mul", {gate}, {}, pick(2) == 0);
  }
  void add_residual() {
    if (kept_.channels == channels_ && kept_.size == size_) add("Add", {kept_.name}, {}, pick(2) == 0);
  }
  void pad() {
    const std::string amounts = fresh("p");
    builder_.constant(amounts, Tensor::of<int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
    size_ += 2;
    add("Pad", {amounts});
    size_ -= 2;
    switch (pick(3)) {
      case 0: {
        const std::string w = constant("w", {4, channels_, 3, 3});
        channels_ = 4;
        return add("Conv", {w});
      }
      case 1:
        return add("MaxPool", {}, {Attribute::of("kernel_shape", std::vector<int64_t>{3, 3})});
      default:
        return add("AveragePool", {}, {Attribute::of("kernel_shape", std::vector<int64_t>{3, 3})});
    }
  }
  void step() {
    switch (pick(8)) {
      case 0:
      case 1:
        return convolve();
      case 2:
        return transpose_convolve();
      case 3:
        return normalize();
      case 4:
        return per_channel();
      case 5:
        return activate();
      case 6:
        return add_residual();
      default:
        return pad();
    }
  }

  struct Kept {
    std::string name;
    int64_t channels, size;
  };
  std::mt19937 engine_;
  int64_t channels_ = 4, size_ = 5;
  size_t names_ = 0;
  std::string value_ = "x";
  Kept kept_ = {"x", 0, 0};
  ModelBuilder builder_;
};

TEST(ConvNeighbourhood, AgreesWithAndWithoutTheOptimiser) {
  const char* given = std::getenv("SARDONYX_SEED");
  const uint32_t first = given ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 1;
  const Feeds feeds = {{"x", random_tensor({1, 4, 5, 5})}};
  for (uint32_t seed = first; seed < first + 200; ++seed) {
    SCOPED_TRACE("SARDONYX_SEED=" + std::to_string(seed));
    const model::Model before = RandomChain(seed).model();
    model::Model after = before;
    optimize(after, GraphOptimizationLevel::kAll);
    const std::vector<Tensor> expected = reference_outputs(before, feeds), actual = reference_outputs(after, feeds);
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(expected[i].shape(), actual[i].shape());
      const auto a = expected[i].values<float>(), b = actual[i].values<float>();
      float greatest = 1;
      for (const float v : a) greatest = std::max(greatest, std::abs(v));
      for (size_t j = 0; j < a.size(); ++j) ASSERT_NEAR(a[j], b[j], 2e-5f * greatest) << "output " << i << " element " << j;
    }
  }
}

}  // namespace
}  // namespace sardonyx::optimize
