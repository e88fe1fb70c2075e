#include "sardonyx/checkpoint.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "checkpoint/element_types.h"
#include "checkpoint/test_archives.h"

namespace sardonyx::checkpoint::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = CheckpointValue::Kind;

const std::string kMagic = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."s;
const std::string kSystem = pickle(dict({{"little_endian", "\x88"}}));

std::string legacy_file(const std::string& body, const std::string& keys, const std::string& storages) {
  return kMagic + pickle("M\xE9\x03") + kSystem + pickle(body) + pickle(keys) + storages;
}
std::string one_storage() { return little(int64_t{4}) + floats({1, 2, 3, 4}); }
std::string with_view(const std::string& tail) {
  TensorPickle t;
  t.storage_tail = tail;
  return tensor(t);
}

TEST(TorchZip, ReadsTensorsAsViewsOnTheFile) {
  const std::string file = torch_zip(dict({{"w", tensor()}, {"part", tensor({.offset = 1, .size = {3}})}}));
  const StateDict state = load(file);
  EXPECT_THAT(state.at("w").values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(static_cast<const float*>(state.at("w").raw()) + 1, state.at("part").raw());
  EXPECT_GT(static_cast<const char*>(state.at("w").raw()), file.data());
  EXPECT_LT(static_cast<const char*>(state.at("w").raw()), file.data() + file.size());
}

TEST(TorchZip, TensorsKeepTheFileAlive) {
  auto file = std::make_shared<std::string>(torch_zip(dict({{"w", tensor()}})));
  const std::weak_ptr<std::string> watch = file;
  Tensor tensor;
  {
    const StateDict state = load_checkpoint(bytes_of(*file), file);
    tensor = state.at("w");
  }
  file.reset();
  ASSERT_FALSE(watch.expired());
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2, 3, 4));
  tensor = Tensor();
  EXPECT_TRUE(watch.expired());
}

TEST(TorchZip, StoragesMustFit) {
  EXPECT_THAT(body_error(tensor({.count = 3, .size = {3}})), HasSubstr("storage '0' has 16 bytes, and 12 are declared"));
  EXPECT_THAT(body_error(tensor({.count = -1})), HasSubstr("cannot have -1 elements"));
  EXPECT_THAT(body_error(tensor({.count = INT64_MAX})), HasSubstr("cannot have"));
  EXPECT_THAT(body_error(tensor({.key = "1"})), HasSubstr("lacks the storage '1'"));
  EXPECT_THAT(body_error(tensor({.offset = 1})), HasSubstr("reaches element 4 of a storage of 4"));
  EXPECT_THAT(body_error(tensor({.offset = -1})), HasSubstr("offset -1"));
  EXPECT_THAT(body_error(tensor({.size = {4, 1 << 20}, .stride = {1, 0}})), "no error");
  EXPECT_THAT(body_error(tensor({.size = {int64_t{1} << 40}, .stride = {0}})),
              AllOf(StartsWith("ResourceLimit"), HasSubstr("max_copied_bytes")));
  EXPECT_THAT(body_error("](" + tensor() + tensor({.type = "DoubleStorage"}) + "e"), HasSubstr("with different sizes"));
  EXPECT_THAT(body_error("](" + tensor() + tensor({.type = "IntStorage"}) + "e"), "no error");
  EXPECT_THAT(body_error(tensor({.type = "QInt8Storage"})), HasSubstr("quantised"));
  EXPECT_THAT(body_error(storage("FloatStorage", "0", 4)), HasSubstr("bare storage"));
  EXPECT_THAT(body_error("NQ"), HasSubstr("persistent id that is a none"));
  EXPECT_THAT(body_error("(" + text("module") + "NNNtQ"), HasSubstr("whole module"));
  EXPECT_THAT(body_error("(" + text("storage") + "NNNNtQ"), HasSubstr("is a none, not a global"));
  std::vector<int64_t> axes(65, 1);
  EXPECT_THAT(body_error(tensor({.size = axes, .stride = axes})), HasSubstr("max_rank"));
}

TEST(TorchZip, NewTypesComeUntyped) {
  const std::string untyped = "(" + text("storage") + global("torch.storage", "UntypedStorage") + text("0") + text("cpu") + "K\x10tQ";
  const auto body = [&](std::string_view type, const std::vector<int64_t>& size) {
    return global("torch._utils", "_rebuild_tensor_v3") + "(" + untyped + "K\x00"s + tuple(size) + tuple({1}) + "\x89" +
           global("collections", "OrderedDict") + ")R" + global("torch", type) + "tR";
  };
  const std::string file = torch_zip("](" + body("float8_e4m3fn", {16}) + body("uint16", {8}) + "e");
  const Checkpoint checkpoint = read(file);
  EXPECT_EQ(checkpoint.root.at(0).as_tensor().dtype(), DType::kFloat8E4M3FN);
  EXPECT_EQ(checkpoint.root.at(1).as_tensor().dtype(), DType::kUInt16);
  EXPECT_THAT(body_error(body("uint16", {9})), HasSubstr("reaches element 8 of a storage of 8"));
  EXPECT_THAT(body_error(body("bits8", {9})), HasSubstr("'torch.bits8'"));
}

TEST(TorchZip, ParametersAndSubclassesAreTensors) {
  const std::string hooks = global("collections", "OrderedDict") + ")R";
  const std::string parameter = global("torch._utils", "_rebuild_parameter") + tensor() + "\x88" + hooks + "\x87R";
  const std::string older = global("torch.nn.parameter", "Parameter") + tensor() + "\x85R(\x88\x89" + hooks + "tb";
  const std::string inner = "(" + storage("FloatStorage", "0", 4) + "K\x00"s + tuple({4}) + tuple({1}) + "\x89" + hooks + "t";
  const auto from_type = [&](std::string_view module, std::string_view type) {
    return global("torch._tensor", "_rebuild_from_type_v2") + "(" + global("torch._utils", "_rebuild_tensor_v2") + global(module, type) +
           inner + "}tR";
  };
  const std::string file = torch_zip(dict({{"p", parameter}, {"o", older}, {"t", from_type("torch.nn.parameter", "Parameter")}}));
  const StateDict state = load(file);
  EXPECT_EQ(state.size(), 3u);
  for (const auto& [name, tensor] : state) EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2, 3, 4)) << name;
  EXPECT_THAT(body_error(from_type("mine", "Tensor")), HasSubstr("'mine.Tensor'"));
  EXPECT_THAT(body_error(from_type("torch", "FloatStorage")), HasSubstr("of a subclass"));
}

TEST(TorchZip, AttributesOfAStateDictAreLeftOut) {
  const std::string body =
      global("collections", "OrderedDict") + ")R(" + text("w") + tensor() + "u" + dict({{"_metadata", dict({{"version", "K\x02"}})}}) + "b";
  const StateDict state = load(torch_zip(body));
  EXPECT_EQ(state.size(), 1u);
}

TEST(TorchZip, ByteOrderAndVersion) {
  const std::string body = tensor({.type = "IntStorage"});
  const auto file = [&](const std::string& order, const std::string& version) {
    return zip(
        {{"a/data.pkl", pickle(body)}, {"a/data/0", "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"s}, {"a/byteorder", order}, {"a/version", version}});
  };
  EXPECT_THAT(read(file("big", "3")).root.as_tensor().values<int32_t>(), ElementsAre(1, 2, 3, 4));
  const std::string little_file = file("little", "3\n");
  EXPECT_THAT(read(little_file).root.as_tensor().values<int32_t>()[0], 1 << 24);
  EXPECT_THAT(read_error(file("middle", "3")), HasSubstr("byteorder is 'middle'"));
  EXPECT_THAT(read_error(file("big", "x")), HasSubstr("version is 'x'"));
  EXPECT_THAT(read_error(file("big", "99")), AllOf(StartsWith("Unsupported"), HasSubstr("version 99")));
}

TEST(TorchZip, OtherArchivesAreNamed) {
  EXPECT_THAT(read_error(torch_zip("N", {{"a/constants.pkl", ""}})), HasSubstr("TorchScript archive"));
  EXPECT_THAT(read_error(zip({{"word/document.xml", "x"}})), HasSubstr("no data.pkl in its top folder, but 'word/document.xml'"));
  EXPECT_THAT(read_error(zip({{"a/data.pkl", pickle("N")}, {"b/data.pkl", pickle("N")}})), HasSubstr("data.pkl in two folders"));
}

TEST(TorchZip, CompressedArchives) {
  const std::string file = zip({{"a/data.pkl", pickle(dict({{"w", tensor()}})), true}, {"a/data/0", floats({1, 2, 3, 4}), true}});
  EXPECT_THAT(load(file).at("w").values<float>(), ElementsAre(1, 2, 3, 4));
}

TEST(TorchLegacy, ReadsStoragesBehindThePickles) {
  const std::string file =
      legacy_file(dict({{"w", tensor()}, {"t", tensor({.size = {2, 2}, .stride = {1, 2}})}}), "](" + text("0") + "e", one_storage());
  const Checkpoint checkpoint = read(file);
  EXPECT_EQ(checkpoint.format, CheckpointFormat::kTorchLegacy);
  const StateDict state = state_dict_of(checkpoint.root);
  EXPECT_THAT(state.at("w").values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(state.at("t").values<float>(), ElementsAre(1, 3, 2, 4));
}

TEST(TorchLegacy, ViewsOfStorages) {
  const std::string keys = "](" + text("0") + "e";
  const auto file = [&](int64_t offset, int64_t count, int64_t size) {
    TensorPickle t{.size = {size}};
    t.storage_tail = "(" + text("v") + number(offset) + number(count) + "t";
    return legacy_file(tensor(t), keys, one_storage());
  };
  EXPECT_THAT(read(file(1, 2, 2)).root.as_tensor().values<float>(), ElementsAre(2, 3));
  EXPECT_THAT(read_error(file(3, 2, 1)), HasSubstr("a view of a storage covers"));
  EXPECT_THAT(read_error(file(-1, 2, 1)), HasSubstr("a view of a storage covers"));
  EXPECT_THAT(read(legacy_file(with_view("N"), keys, one_storage())).root.as_tensor().numel(), 4);
}

TEST(TorchLegacy, BrokenFilesAreRefused) {
  const std::string body = tensor();
  const std::string keys = "](" + text("0") + "e";
  EXPECT_THAT(read_error(legacy_file(body, "]", "")), HasSubstr("lacks the elements of storage '0'"));
  EXPECT_THAT(read_error(legacy_file(body, "](" + text("7") + "e", one_storage())), HasSubstr("'7' that no tensor mentions"));
  EXPECT_THAT(read_error(legacy_file(body, "}", one_storage())), HasSubstr("storage keys is a dict"));
  EXPECT_THAT(read_error(legacy_file(body, keys, little(int64_t{5}) + floats({1, 2, 3, 4, 5}))),
              HasSubstr("has 5 elements, and 4 are declared"));
  EXPECT_THAT(read_error(legacy_file(body, keys, little(int64_t{4}))), HasSubstr("truncated"));
  EXPECT_THAT(read_error(kMagic + pickle("K\x07")), HasSubstr("protocol is not 1001"));
  EXPECT_THAT(read_error(pickle("}")), HasSubstr("not one of torch.save"));
}

TEST(Formats, OtherFilesAreNamed) {
  EXPECT_THAT(read_error(""), HasSubstr("empty"));
  EXPECT_THAT(read_error("hello"), HasSubstr("neither of torch.save"));
  EXPECT_THAT(read_error("GGUF1234567890"), HasSubstr("GGUF"));
  EXPECT_THAT(read_error("\x89HDF\r\n"), HasSubstr("HDF5"));
  EXPECT_THAT(read_error(std::string(257, 'x') + "ustar" + std::string(250, '\0')), HasSubstr("tar archive"));
  CheckpointOptions options;
  options.limits.max_file_bytes = 3;
  EXPECT_THAT(read_error("hello", options), HasSubstr("max_file_bytes"));
  EXPECT_THAT(error_of([] { load_checkpoint("/nonexistent.pth"); }), StartsWith("Io"));
}

std::vector<std::string> names_of(const StateDict& state) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  return names;
}

TEST(StateDictOf, FindsTheUsualPlaces) {
  const auto names = [](const std::string& body, const std::string& key = "", const std::string& prefix = "") {
    CheckpointOptions options;
    options.key = key;
    options.strip_prefix = prefix;
    return names_of(load(torch_zip(body), options));
  };
  const std::string inner = dict({{"module.w", tensor()}, {"n", "K\x01"}, {"v", tensor()}});
  EXPECT_THAT(names(inner), ElementsAre("module.w", "v"));
  EXPECT_THAT(names(inner, "", "module."), ElementsAre("w", "v"));
  EXPECT_THAT(names(dict({{"epoch", "K\x01"}, {"rng", tensor()}, {"state_dict", inner}})), ElementsAre("module.w", "v"));
  EXPECT_THAT(names(dict({{"model", dict({{"state_dict", inner}})}})), ElementsAre("module.w", "v"));
  EXPECT_THAT(names(dict({{"mine", inner}})), ElementsAre("module.w", "v"));
  EXPECT_THAT(names(dict({{"ema", dict({{"model", inner}})}, {"model", dict({{"x", tensor()}})}}), "ema.model"),
              ElementsAre("module.w", "v"));
  EXPECT_THAT(names("}K\x03" + tensor() + "s"), ElementsAre("3"));
}

TEST(StateDictOf, SaysWhatThereIs) {
  const auto error = [](const std::string& body, const std::string& key = "", const std::string& prefix = "") {
    CheckpointOptions options;
    options.key = key;
    options.strip_prefix = prefix;
    return error_of([&] { load(torch_zip(body), options); });
  };
  const std::string inner = dict({{"w", tensor()}});
  EXPECT_THAT(error(dict({{"epoch", "K\x01"}, {"lr", "N"}})),
              AllOf(StartsWith("InvalidArgument: checkpoint 'test': "), HasSubstr("'epoch' (int), 'lr' (none)"),
                    HasSubstr("CheckpointOptions::key")));
  EXPECT_THAT(error(dict({{"a", inner}, {"b", inner}})), HasSubstr("'a' (dict), 'b' (dict)"));
  EXPECT_THAT(error("}"), HasSubstr("an empty dict"));
  EXPECT_THAT(error("]"), HasSubstr("it holds a list"));
  EXPECT_THAT(error(inner, "x"), HasSubstr("there is no key 'x': its keys are 'w' (tensor)"));
  EXPECT_THAT(error(dict({{"a", inner}}), "a.w"), HasSubstr("no tensors directly under 'a.w'"));
  EXPECT_THAT(error(dict({{"w", tensor()}, {"module.w", tensor()}}), "", "module."), HasSubstr("two tensors have the name 'w'"));
  EXPECT_THAT(error("}\x88" + tensor() + "s"), HasSubstr("a key that is a bool"));
}

class SavedCheckpoint : public ::testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(::testing::TempDir()) / "sardonyx_test.pth";
  void TearDown() override { std::filesystem::remove(path_); }
};

TEST_F(SavedCheckpoint, RoundTripOfEveryType) {
  StateDict state;
  std::mt19937 random(7);
  for (int kind = 1; kind < kDTypeCount; ++kind) {
    const ElementType* type = element_type(static_cast<DType>(kind));
    if (type == nullptr) continue;
    for (const Shape& shape : {Shape{}, Shape{3, 1, 2}, Shape{0, 2}}) {
      Tensor tensor = Tensor::empty(shape, type->dtype);
      auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
      for (size_t i = 0; i < tensor.byte_size(); ++i)
        bytes[i] = static_cast<uint8_t>(type->dtype == DType::kBool ? random() % 2 : random());
      state.set(std::string(type->torch) + to_string(shape), tensor);
    }
  }
  save_checkpoint(path_, state);
  CheckpointOptions options;
  options.verify_crc_up_to = UINT64_MAX;
  const StateDict loaded = load_checkpoint(path_, options);
  ASSERT_EQ(names_of(loaded), names_of(state));
  for (const auto& [name, tensor] : state) {
    const Tensor& other = loaded.at(name);
    ASSERT_EQ(other.dtype(), tensor.dtype()) << name;
    ASSERT_EQ(other.shape(), tensor.shape()) << name;
    const auto* bytes = static_cast<const std::byte*>(tensor.raw());
    ASSERT_TRUE(std::equal(bytes, bytes + tensor.byte_size(), static_cast<const std::byte*>(other.raw()))) << name;
    ASSERT_EQ(other.is_read_only(), tensor.numel() > 0) << name;
  }
}

TEST_F(SavedCheckpoint, SharedMemoryIsWrittenOnce) {
  const Tensor whole = Tensor::full({1000}, 3);
  const auto* data = static_cast<const float*>(whole.raw());
  StateDict state;
  state.set("part", Tensor::view(nullptr, data + 100, {10}, DType::kFloat32));
  state.set("whole", whole);
  state.set("same", whole);
  state.set("as ints", Tensor::view(nullptr, data, {10}, DType::kInt32));
  state.set("other", Tensor::full({10}, 1));
  save_checkpoint(path_, state);
  EXPECT_LT(std::filesystem::file_size(path_), 4000u + 2500u);
  const StateDict loaded = load_checkpoint(path_);
  EXPECT_EQ(loaded.at("whole").raw(), loaded.at("same").raw());
  EXPECT_EQ(static_cast<const float*>(loaded.at("whole").raw()) + 100, loaded.at("part").raw());
  EXPECT_NE(loaded.at("whole").raw(), loaded.at("as ints").raw());
  EXPECT_EQ(loaded.at("other").values<float>()[9], 1);
}

TEST_F(SavedCheckpoint, StoragesAreAligned) {
  StateDict state;
  for (int i = 0; i < 5; ++i) state.set(std::string(static_cast<size_t>(i), 'x'), Tensor::full({7}, i, DType::kInt8));
  save_checkpoint(path_, state);
  std::ifstream stream(path_, std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  const StateDict loaded = load(file);
  for (const auto& [name, tensor] : loaded) EXPECT_EQ((static_cast<const char*>(tensor.raw()) - file.data()) % 64, 0) << name;
}

TEST_F(SavedCheckpoint, WhatTorchLacksIsRefused) {
  StateDict state;
  state.set("t", Tensor::of_strings({1}, {"x"}));
  EXPECT_THAT(error_of([&] { save_checkpoint(path_, state); }), AllOf(StartsWith("Unsupported"), HasSubstr("'t'")));
  StateDict undefined;
  undefined.set("u", Tensor());
  EXPECT_THAT(error_of([&] { save_checkpoint(path_, undefined); }), HasSubstr("'u' is undefined"));
  StateDict badly_named;
  badly_named.set("\xFF", Tensor::zeros({1}));
  EXPECT_THAT(error_of([&] { save_checkpoint(path_, badly_named); }), HasSubstr("'\\xff' is not UTF-8"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// Small files of each format, to be damaged.
std::vector<std::string> samples() {
  const std::string body = dict({{"w", tensor()}, {"t", tensor({.size = {2, 2}, .stride = {1, 2}})}, {"n", "K\x05"}});
  const std::string header = R"({"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})";
  return {torch_zip(body), legacy_file(body, "](" + text("0") + "e", one_storage()),
          zip({{"a/data.pkl", pickle(body), true}, {"a/data/0", floats({1, 2, 3, 4}), true}}),
          little(static_cast<uint64_t>(header.size())) + header + floats({1, 2, 3, 4})};
}

TEST(Damage, TruncationAtEveryByteIsAnError) {
  for (const std::string& file : samples()) {
    ASSERT_EQ(read_error(file), "no error");
    for (size_t length = 0; length < file.size(); ++length) {
      const std::string cut = file.substr(0, length);
      ASSERT_NE(read_error(cut), "no error") << length << " of " << file.size();
    }
  }
}

double sum_of(const StateDict& state) {
  double sum = 0;
  for (const auto& [name, tensor] : state) {
    const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
    for (size_t i = 0; i < tensor.byte_size(); ++i) sum += bytes[i];
  }
  return sum;
}

TEST(Damage, RandomBytesGiveATreeOrAnError) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  CheckpointOptions options;
  options.verify_crc_up_to = 0;
  options.limits.max_copied_bytes = 1 << 20;
  int read_well = 0;
  int refused = 0;
  for (const std::string& file : samples()) {
    for (int round = 0; round < 3000; ++round) {
      std::string damaged = file;
      for (auto k = random() % 3 + 1; k-- > 0;) damaged[random() % damaged.size()] = static_cast<char>(random());
      try {
        EXPECT_GE(sum_of(load(damaged, options)), 0);
        ++read_well;
      } catch (const Error& error) {
        ASSERT_NE(error.code(), ErrorCode::kInternal) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(read_well, 0);
  EXPECT_GT(refused, 0);
}

TEST(Genuine, SuperResolution) {
  const std::filesystem::path path = std::filesystem::path(SARDONYX_SOURCE_DIR) / "../shared/data/superres/superres_epoch100-44c6958e.pth";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const StateDict state = load_checkpoint(path);
  EXPECT_THAT(names_of(state), ElementsAre("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight", "conv3.bias",
                                           "conv4.weight", "conv4.bias"));
  EXPECT_EQ(state.at("conv1.weight").shape(), (Shape{64, 1, 5, 5}));
  EXPECT_EQ(state.at("conv4.weight").shape(), (Shape{9, 32, 3, 3}));
  for (const auto& [name, tensor] : state) {
    EXPECT_EQ(tensor.dtype(), DType::kFloat32) << name;
    for (const float value : tensor.values<float>()) ASSERT_LT(std::abs(value), 10) << name;
  }
}

}  // namespace
}  // namespace sardonyx::checkpoint::testing
