#include "sardonyx/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "optimize/model_builder.h"

namespace sardonyx {
namespace {

using optimize::ModelBuilder;
using optimize::random_tensor;
using testing::ElementsAre;
using testing::HasSubstr;

model::Model small_model() {
  model::Model model = ModelBuilder()
                           .input("x", {"batch", 3, model::Dimension()})
                           .input("w", {3, 1})
                           .output("y")
                           .constant("w", random_tensor({3, 1}))
                           .node("Mul", {"x", "w"}, {"a"})
                           .node("Relu", {"a"}, {"y"})
                           .build();
  model.producer_name = "test";
  model.model_version = 7;
  model::StringPair pair;
  pair.key = "author";
  pair.value = "me";
  model.metadata_props.push_back(pair);
  return model;
}

TEST(InferenceSession, DescribesTheModel) {
  const InferenceSession session(small_model());
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(to_string(session.inputs()[0]), "NodeArg(name='x', type='tensor(float)', shape=['batch', 3, None])");
  EXPECT_EQ(to_string(session.outputs().at(0)), "NodeArg(name='y', type='tensor(float)', shape=None)");
  EXPECT_EQ(session.overridable_initializers().at(0).name, "w");
  EXPECT_EQ(session.metadata().producer_name, "test");
  EXPECT_EQ(session.metadata().version, 7);
  EXPECT_THAT(session.metadata().custom_metadata_map, ElementsAre(std::pair<std::string, std::string>("author", "me")));
  EXPECT_EQ(session.passes().size(), optimization_passes().size());
}

TEST(InferenceSession, FileBytesAndModelGiveTheSame) {
  const Feeds feeds = {{"x", random_tensor({2, 3, 4})}};
  const std::vector<Tensor> expected = optimize::reference_outputs(small_model(), feeds);
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "sardonyx_session_test.onnx";
  model::write_model(small_model(), path);
  for (InferenceSession& session :
       std::array{InferenceSession(small_model()), InferenceSession(path), InferenceSession::from_bytes(model::serialize(small_model()))}) {
    const std::vector<Tensor> got = session.run(feeds);
    EXPECT_THAT(got.at(0).values<float>(), testing::ElementsAreArray(expected[0].values<float>()));
    EXPECT_EQ(session.run({"y"}, feeds).size(), 1U);
  }
  std::filesystem::remove(path);
}

TEST(InferenceSession, PackedWeightsInAFileGiveTheSame) {
  const auto model =
      ModelBuilder().input("x", {"batch", 5}).output("y").constant("w", random_tensor({5, 40})).node("MatMul", {"x", "w"}, {"y"}).build();
  const Feeds feeds = {{"x", random_tensor({3, 5})}};
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "sardonyx_session_test.weights";
  std::filesystem::remove(path);
  const std::vector<Tensor> expected = InferenceSession(model).run(feeds);
  for (int i = 0; i < 2; ++i) {
    const InferenceSession session(model, {.packed_weights_cache = path});
    EXPECT_EQ(std::filesystem::exists(path), i == 1);
    EXPECT_THAT(session.run(feeds).at(0).values<float>(), testing::ElementsAreArray(expected[0].values<float>()));
  }
  EXPECT_GE(std::filesystem::file_size(path), 5 * 40 * sizeof(float));
  std::filesystem::remove(path);
  EXPECT_THROW(InferenceSession(model, {.packed_weights_cache = "/nowhere/weights"}), Error);
}

TEST(InferenceSession, ErrorsNameTheFile) {
  try {
    const InferenceSession session("/nowhere/model.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/model.onnx"));
  }
  model::Model unknown = ModelBuilder().input("x", {2}).output("y").node("Frobnicate", {"x"}, {"y"}).build();
  try {
    const InferenceSession session(unknown);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "node 'node_y' (Frobnicate, opset 17): the CPU has no kernel for operator Frobnicate of domain 'ai.onnx'");
  }
}

TEST(InferenceSession, SessionsShareAThreadPool) {
  const auto pool = make_thread_pool(2);
  const InferenceSession a(small_model(), {.thread_pool = pool}), b(small_model(), {.thread_pool = pool});
  EXPECT_EQ(a.threads(), 2);
  const Feeds feeds = {{"x", random_tensor({1, 3, 5})}};
  EXPECT_THAT(a.run(feeds)[0].values<float>(), testing::ElementsAreArray(b.run(feeds)[0].values<float>()));
}

}  // namespace
}  // namespace sardonyx
