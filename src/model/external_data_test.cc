// External data: containment, bounds, and writing it.
#include "model/external_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>

#include "core/mapped_file.h"
#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

StringPair pair(std::string key, std::string value) {
  StringPair result;
  result.key = std::move(key);
  result.value = std::move(value);
  return result;
}

TensorData external(std::string location, std::string offset = "", std::string length = "") {
  TensorData tensor;
  tensor.name = "w";
  tensor.data_type = static_cast<int32_t>(DType::kFloat32);
  tensor.dims = {4};
  tensor.data_location = TensorData::Location::kExternal;
  tensor.external_data.push_back(pair("location", std::move(location)));
  if (!offset.empty()) tensor.external_data.push_back(pair("offset", std::move(offset)));
  if (!length.empty()) tensor.external_data.push_back(pair("length", std::move(length)));
  return tensor;
}

Model model_with(std::vector<TensorData> initializers) {
  Model model;
  model.ir_version = 10;
  model.has_graph = true;
  model.graph.name = "g";
  model.graph.initializer = std::move(initializers);
  return model;
}

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sardonyx_model_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    folder_ = root_ / "model";
    fs::create_directories(folder_ / "sub");
    std::vector<float> values(16);
    std::iota(values.begin(), values.end(), 0.0f);
    data_.assign(reinterpret_cast<const char*>(values.data()), 64);
    put(folder_ / "w.bin", data_);
    put(folder_ / "sub/w.bin", data_);
    put(root_ / "secret.bin", data_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static void put(const fs::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  static std::string get(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  fs::path save(const TensorData& tensor) {
    put(folder_ / "m.onnx", serialize(model_with({tensor})));
    return folder_ / "m.onnx";
  }
  Tensor load(const TensorData& tensor) { return decode(read_model(save(tensor)).graph.initializer[0]); }
  std::string refusal(const TensorData& tensor, ErrorCode code = ErrorCode::kInvalidModel) {
    const fs::path path = save(tensor);
    try {
      read_model(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("m.onnx: tensor 'w': external data"));
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  fs::path root_, folder_;
  std::string data_;
};

TEST_F(ExternalData, IsAViewOnTheMappedFile) {
  const Model model = read_model(save(external("w.bin", "16", "16")));
  const TensorData& tensor = model.graph.initializer[0];
  const Tensor elements = decode(tensor);
  EXPECT_EQ(elements.values<float>()[0], 4);
  EXPECT_EQ(elements.raw(), tensor.external.bytes.text().data());
  EXPECT_EQ(serialize(model), get(folder_ / "m.onnx"));
}

TEST_F(ExternalData, OffsetAndLengthMayBeLeftOut) {
  EXPECT_EQ(load(external("w.bin")).values<float>()[3], 3);
  EXPECT_EQ(load(external("w.bin", "48")).values<float>()[3], 15);
  EXPECT_EQ(load(external("sub/w.bin", "4", "16")).values<float>()[0], 1);
  EXPECT_EQ(load(external("./w.bin", "4", "16")).values<float>()[0], 1);
}

TEST_F(ExternalData, AFileIsMappedOnce) {
  put(folder_ / "m.onnx",
      serialize(model_with({external("w.bin", "0", "16"), external("w.bin", "16", "16"), external("./w.bin", "32", "16")})));
  const Model model = read_model(folder_ / "m.onnx");
  const auto& tensors = model.graph.initializer;
  EXPECT_EQ(tensors[0].external.bytes.owner(), tensors[1].external.bytes.owner());
  EXPECT_EQ(tensors[0].external.bytes.owner(), tensors[2].external.bytes.owner());
}

TEST_F(ExternalData, TensorsAreFoundWhereverTheyStand) {
  Model model;
  model.has_graph = true;
  Graph body;
  body.initializer = {external("w.bin")};
  body.sparse_initializer.emplace_back().has_values = true;
  body.sparse_initializer[0].values = external("w.bin");
  Node node;
  node.attribute = {Attribute::of("g", body), Attribute::of("t", external("w.bin"))};
  model.functions.emplace_back().node = {node};
  put(folder_ / "m.onnx", serialize(model));
  const Model again = read_model(folder_ / "m.onnx");
  const auto& attributes = again.functions[0].node[0].attribute;
  EXPECT_EQ(decode(attributes[0].g->initializer[0]).values<float>()[1], 1);
  EXPECT_EQ(decode(attributes[0].g->sparse_initializer[0].values).values<float>()[1], 1);
  EXPECT_EQ(decode(*attributes[1].t).values<float>()[1], 1);
}

TEST_F(ExternalData, LocationsOutsideTheFolderAreRefused) {
  EXPECT_THAT(refusal(external("")), HasSubstr("it is empty"));
  EXPECT_THAT(refusal(external((root_ / "secret.bin").string())), HasSubstr("it is absolute"));
  EXPECT_THAT(refusal(external("../secret.bin")), HasSubstr("by '..'"));
  EXPECT_THAT(refusal(external("sub/../w.bin")), HasSubstr("by '..'"));
  EXPECT_THAT(refusal(external(std::string("w.bin\0x", 7))), HasSubstr("zero byte"));
  fs::create_symlink(root_ / "secret.bin", folder_ / "link.bin");
  EXPECT_THAT(refusal(external("link.bin")), HasSubstr("outside the model's folder"));
  fs::create_directory_symlink(root_, folder_ / "up");
  EXPECT_THAT(refusal(external("up/secret.bin")), HasSubstr("outside the model's folder"));
  fs::create_directories(root_ / "model2");
  put(root_ / "model2/w.bin", data_);
  fs::create_symlink(root_ / "model2/w.bin", folder_ / "sibling.bin");
  EXPECT_THAT(refusal(external("sibling.bin")), HasSubstr("outside the model's folder"));
}

TEST_F(ExternalData, LinksWithinTheFolderAreFollowed) {
  fs::create_symlink("sub/w.bin", folder_ / "inside.bin");
  EXPECT_EQ(load(external("inside.bin")).values<float>()[2], 2);
}

TEST_F(ExternalData, ACacheOfLinkedBlobsWorks) {
  fs::create_directories(root_ / "repo/blobs");
  fs::create_directories(root_ / "repo/snapshots/x");
  put(root_ / "repo/blobs/aaa", serialize(model_with({external("model.onnx.data", "16", "16")})));
  put(root_ / "repo/blobs/bbb", data_);
  fs::create_symlink("../../blobs/aaa", root_ / "repo/snapshots/x/model.onnx");
  fs::create_symlink("../../blobs/bbb", root_ / "repo/snapshots/x/model.onnx.data");
  const Model model = read_model(root_ / "repo/snapshots/x/model.onnx");
  EXPECT_EQ(decode(model.graph.initializer[0]).values<float>()[0], 4);

  fs::remove(root_ / "repo/snapshots/x/model.onnx.data");
  fs::create_symlink(root_ / "secret.bin", root_ / "repo/snapshots/x/model.onnx.data");
  EXPECT_THROW(read_model(root_ / "repo/snapshots/x/model.onnx"), Error);
}

TEST_F(ExternalData, OnlyRegularFilesAreOpened) {
  refusal(external("none.bin"), ErrorCode::kIo);
  refusal(external("w.bin/x"), ErrorCode::kIo);
  const auto refused = [&](const char* location) {
    const fs::path path = save(external(location));
    EXPECT_THAT([&] { read_model(path); }, testing::Throws<Error>(testing::Property(&Error::what, HasSubstr("not a regular file"))));
  };
  refused("sub");
  refused(".");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  refused("pipe");
}

TEST_F(ExternalData, RangesBeyondTheFileAreRefused) {
  EXPECT_THAT(refusal(external("w.bin", "60", "16")), HasSubstr("'w.bin' has 64 bytes, where offset 60 and length 16"));
  EXPECT_THAT(refusal(external("w.bin", "65", "0")), HasSubstr("offset 65"));
  EXPECT_THAT(refusal(external("w.bin", "60")), HasSubstr("offset 60 and length 16"));
  EXPECT_THAT(refusal(external("w.bin", "18446744073709551615", "2")), HasSubstr("64 bytes"));
  EXPECT_THAT(refusal(external("w.bin", "1", "18446744073709551615")), HasSubstr("64 bytes"));
  EXPECT_THAT(refusal(external("w.bin", "-1", "4")), HasSubstr("offset is '-1', not a number"));
  EXPECT_THAT(refusal(external("w.bin", "0", "4x")), HasSubstr("length is '4x', not a number"));
  EXPECT_THAT(refusal(external("w.bin", "99999999999999999999")), HasSubstr("not a number"));
  TensorData twice = external("w.bin", "0");
  twice.external_data.push_back(pair("offset", "4"));
  EXPECT_THAT(refusal(twice), HasSubstr("offset is given twice"));
  TensorData none = external("w.bin");
  none.external_data.clear();
  EXPECT_THAT(refusal(none), HasSubstr("it is empty"));
}

TEST_F(ExternalData, ALengthThatDoesNotFitTheShapeIsFoundByDecode) {
  EXPECT_THAT([&] { load(external("w.bin", "0", "12")); },
              testing::Throws<Error>(testing::Property(&Error::what, HasSubstr("12 bytes of data, where type and shape need 16"))));
}

TEST_F(ExternalData, AModelFromMemoryNeedsToBeToldTheFolder) {
  const std::string bytes = serialize(model_with({external("w.bin")}));
  EXPECT_THAT([&] { parse_model(bytes, nullptr); }, testing::Throws<Error>(testing::Property(&Error::code, ErrorCode::kInvalidArgument)));
  EXPECT_EQ(decode(parse_model(bytes, nullptr, {}, folder_).graph.initializer[0]).values<float>()[3], 3);
  const Model unresolved = parse_model(bytes, nullptr, {.limits = {}, .external_data = false});
  EXPECT_EQ(unresolved.graph.initializer[0].external.bytes.owner(), nullptr);
  EXPECT_EQ(serialize(unresolved), bytes);
}

TEST_F(ExternalData, ReadingNamesTheFileAndTheCure) {
  EXPECT_THAT([&] { read_model(folder_ / "none.onnx"); }, testing::Throws<Error>(testing::Property(&Error::code, ErrorCode::kIo)));
  put(folder_ / "empty.onnx", "");
  EXPECT_THAT([&] { read_model(folder_ / "empty.onnx"); },
              testing::Throws<Error>(testing::Property(&Error::what, HasSubstr("the file is empty"))));
  put(folder_ / "lfs.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  EXPECT_THAT([&] { read_model(folder_ / "lfs.onnx"); },
              testing::Throws<Error>(testing::Property(&Error::what, HasSubstr("git lfs pull"))));
  put(folder_ / "text.onnx", "this is no protobuf");
  EXPECT_THAT([&] { read_model(folder_ / "text.onnx"); },
              testing::Throws<Error>(testing::AllOf(testing::Property(&Error::code, ErrorCode::kInvalidModel),
                                                    testing::Property(&Error::what, HasSubstr("text.onnx: byte ")))));
}

TEST_F(ExternalData, TensorsGoToTheDataFileAndComeBack) {
  Model model = model_with({encode(Tensor::full({1024}, 1.5), "big"), encode(Tensor::full({300}, 2), "small"),
                            encode(Tensor::scalar(3.0f), "tiny"), encode(Tensor::of_strings({1}, {std::string(5000, 's')}), "text")});
  TensorData typed;
  typed.name = "typed";
  typed.data_type = static_cast<int32_t>(DType::kInt8);
  typed.dims = {2000};
  typed.int32_data.assign(2000, -7);
  model.graph.initializer.push_back(typed);
  write_model(model, folder_ / "out.onnx", {.external_file = "out.data"});

  const Model again = read_model(folder_ / "out.onnx");
  const auto& tensors = again.graph.initializer;
  ASSERT_EQ(tensors.size(), 5u);
  EXPECT_TRUE(tensors[0].is_external());
  EXPECT_TRUE(tensors[1].is_external());
  EXPECT_FALSE(tensors[2].is_external());
  EXPECT_FALSE(tensors[3].is_external());
  EXPECT_TRUE(tensors[4].is_external());
  EXPECT_EQ(*find_value(tensors[0].external_data, "offset"), "0");
  EXPECT_EQ(*find_value(tensors[1].external_data, "offset"), "4096");
  EXPECT_EQ(*find_value(tensors[4].external_data, "offset"), "5312");
  EXPECT_EQ(fs::file_size(folder_ / "out.data"), 5312u + 2000u);
  EXPECT_EQ(decode(tensors[0]).values<float>()[1023], 1.5f);
  EXPECT_EQ(decode(tensors[1]).values<float>()[0], 2);
  EXPECT_EQ(decode(tensors[4]).values<int8_t>()[1999], -7);

  write_model(again, folder_ / "inside.onnx");
  const Model inside = read_model(folder_ / "inside.onnx");
  EXPECT_TRUE(inside.graph.initializer[0] == model.graph.initializer[0]);
  EXPECT_FALSE(inside.graph.initializer[4].is_external());
  EXPECT_EQ(decode(inside.graph.initializer[4]).values<int8_t>()[3], -7);

  write_model(again, folder_ / "out.onnx", {.external_file = "out.data", .external_threshold = 4000});
  const Model fewer = read_model(folder_ / "out.onnx");
  EXPECT_TRUE(fewer.graph.initializer[0].is_external());
  EXPECT_FALSE(fewer.graph.initializer[1].is_external());
  EXPECT_EQ(decode(fewer.graph.initializer[1]).values<float>()[299], 2);
  EXPECT_EQ(decode(again.graph.initializer[1]).values<float>()[299], 2);
}

TEST_F(ExternalData, SubgraphsAreWrittenWithoutTouchingTheModel) {
  Graph body;
  body.initializer = {encode(Tensor::full({512}, 4), "inner")};
  Model model = model_with({});
  model.graph.node.emplace_back().attribute = {Attribute::of("body", body)};
  const std::string before = serialize(model);
  write_model(model, folder_ / "m.onnx", {.external_file = "m.data"});
  EXPECT_EQ(serialize(model), before);
  const Model again = read_model(folder_ / "m.onnx");
  const TensorData& inner = again.graph.node[0].attribute[0].g->initializer[0];
  EXPECT_TRUE(inner.is_external());
  EXPECT_EQ(decode(inner).values<float>()[511], 4);
}

TEST_F(ExternalData, UnresolvedReferencesAreWrittenAsTheyStand) {
  const fs::path path = save(external("w.bin", "16", "16"));
  const Model model = read_model(path, {.limits = {}, .external_data = false});
  write_model(model, folder_ / "copy.onnx", {.external_file = "copy.data"});
  EXPECT_EQ(get(folder_ / "copy.onnx"), get(path));
  EXPECT_FALSE(fs::exists(folder_ / "copy.data"));
}

TEST_F(ExternalData, BadNamesForTheDataFileAreRefused) {
  const Model model = model_with({});
  for (const char* name : {"../x.data", "/x.data", "m.onnx", "./m.onnx"}) {
    EXPECT_THAT([&] { write_model(model, folder_ / "m.onnx", {.external_file = name}); },
                testing::Throws<Error>(testing::Property(&Error::code, ErrorCode::kInvalidArgument)))
        << name;
  }
}

TEST_F(ExternalData, ATensorFileComesBack) {
  const TensorData tensor = encode(Tensor::of<int64_t>({3}, {1, -2, 3}), "t");
  write_tensor(tensor, folder_ / "t.pb");
  EXPECT_TRUE(read_tensor(folder_ / "t.pb") == tensor);
}

TEST_F(ExternalData, AProtobufOver2GiBIsRefused) {
  // The pages of a sparse file that is only mapped are never touched.
  put(folder_ / "huge.bin", "");
  fs::resize_file(folder_ / "huge.bin", size_t{3} << 30);
  TensorData tensor = external("huge.bin", "0", std::to_string(size_t{3} << 30));
  tensor.dims = {3, int64_t{1} << 28};
  const Model model = read_model(save(tensor));
  EXPECT_EQ(decode(model.graph.initializer[0]).numel(), int64_t{3} << 28);
  EXPECT_THAT([&] { write_model(model, folder_ / "out.onnx"); },
              testing::Throws<Error>(testing::AllOf(testing::Property(&Error::code, ErrorCode::kResourceLimit),
                                                    testing::Property(&Error::what, HasSubstr("external data")))));
  EXPECT_FALSE(fs::exists(folder_ / "out.onnx"));
}

}  // namespace
}  // namespace sardonyx::model
