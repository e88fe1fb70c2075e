// Times checking and shape inference on models of many nodes; reading is apart.
#include <benchmark/benchmark.h>

#include <string>

#include "sardonyx/check.h"
#include "sardonyx/infer.h"
#include "sardonyx/model.h"

namespace {

namespace model = sardonyx::model;

model::Node node(const char* op_type, std::vector<std::string> inputs, std::string output, std::vector<model::Attribute> attributes = {}) {
  model::Node result;
  result.op_type = op_type;
  result.name = output + "_node";
  result.input = std::move(inputs);
  result.output = {std::move(output)};
  result.attribute = std::move(attributes);
  return result;
}

model::TensorData tensor(const std::string& name, sardonyx::Shape shape, sardonyx::DType dtype = sardonyx::DType::kFloat32) {
  return model::encode(sardonyx::Tensor(std::move(shape), dtype), name);
}

// Blocks of ten nodes: a residual of convolution, normalisation and activation, then a reshape by computed sizes.
void add_block(model::Graph& graph, const std::string& id, std::string& x) {
  const auto name = [&](const char* part) { return id + part; };
  graph.node.push_back(node("Conv", {x, "w", "b"}, name("conv"), {model::Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})}));
  graph.node.push_back(node("BatchNormalization", {name("conv"), "b", "b", "b", "b"}, name("norm")));
  graph.node.push_back(node("Relu", {name("norm")}, name("relu")));
  graph.node.push_back(node("Add", {name("relu"), x}, name("sum")));
  graph.node.push_back(node("Shape", {name("sum")}, name("shape")));
  graph.node.push_back(node("Gather", {name("shape"), "zero"}, name("batch")));
  graph.node.push_back(node("Concat", {name("batch"), "rest"}, name("target"), {model::Attribute::of("axis", 0)}));
  graph.node.push_back(node("Transpose", {name("sum")}, name("turned"), {model::Attribute::of("perm", std::vector<int64_t>{0, 1, 3, 2})}));
  graph.node.push_back(node("Sigmoid", {name("turned")}, name("gate")));
  graph.node.push_back(node("Reshape", {name("gate"), name("target")}, name("out")));
  x = name("out");
}

model::Model chain(size_t nodes) {
  model::Model result;
  result.ir_version = 10;
  result.opset_import.push_back({{}, "", 21});
  result.has_graph = true;
  model::Graph& graph = result.graph;
  graph.name = "chain";
  graph.input.push_back({{}, "x", model::Type::of_tensor(sardonyx::DType::kFloat32, {"N", 16, 32, 32}), "", {}});
  graph.initializer = {tensor("w", {16, 16, 3, 3}), tensor("b", {16}), tensor("zero", {1}, sardonyx::DType::kInt64),
                       model::encode(sardonyx::Tensor::of<int64_t>({3}, {16, 32, 32}), "rest")};
  std::string x = "x";
  for (size_t i = 0; i * 10 < nodes; ++i) add_block(graph, "b" + std::to_string(i) + "_", x);
  graph.output.push_back({{}, x, model::Type::of_tensor(sardonyx::DType::kFloat32, {"N", 16, 32, 32}), "", {}});
  return result;
}

void check(benchmark::State& state) {
  const model::Model model = chain(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    const sardonyx::CheckReport report = sardonyx::check_model(model);
    if (!report.runnable()) state.SkipWithError(to_string(report).c_str());
  }
}
BENCHMARK(check)->Arg(500)->Arg(100'000)->Unit(benchmark::kMillisecond);

void infer(benchmark::State& state) {
  const model::Model model = chain(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    model::Model copy = model;
    state.ResumeTiming();
    const sardonyx::InferReport report = sardonyx::infer_shapes(copy);
    if (report.known != report.values) state.SkipWithError("not all shapes are known");
    state.PauseTiming();
    copy = {};
    state.ResumeTiming();
  }
}
BENCHMARK(infer)->Arg(500)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
