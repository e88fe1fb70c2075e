#include "checkpoint/pickle.h"

#include <random>

#include "checkpoint/test_archives.h"

namespace sardonyx::checkpoint::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = CheckpointValue::Kind;

// The value of a pickle body; the tree keeps the file alive.
CheckpointValue value_of(const std::string& body) {
  const auto file = std::make_shared<std::string>(torch_zip(body));
  return read_checkpoint(bytes_of(*file), file, {}, "test").root;
}

TEST(Pickle, Numbers) {
  EXPECT_EQ(value_of("K\xFF").as_int(), 255);
  EXPECT_EQ(value_of("M\x01\x02").as_int(), 0x201);
  EXPECT_EQ(value_of("J\xFE\xFF\xFF\xFF").as_int(), -2);
  EXPECT_EQ(value_of("I-17\n").as_int(), -17);
  EXPECT_TRUE(value_of("I01\n").as_bool());
  EXPECT_FALSE(value_of("I00\n").as_bool());
  EXPECT_EQ(value_of("L123456789012L\n").as_int(), 123456789012);
  EXPECT_EQ(value_of("\x8A\x00"s).as_int(), 0);
  EXPECT_EQ(value_of("\x8A\x01\x80").as_int(), -128);
  EXPECT_EQ(value_of("\x8A\x02\x80\x00"s).as_int(), 128);
  EXPECT_DOUBLE_EQ(value_of("G\x3F\xF8\x00\x00\x00\x00\x00\x00"s).as_float(), 1.5);
  EXPECT_DOUBLE_EQ(value_of("F-2.5e3\n").as_float(), -2500);
  EXPECT_TRUE(std::isnan(value_of("Fnan\n").as_float()));
  EXPECT_DOUBLE_EQ(value_of("K\x07").as_float(), 7);
}

TEST(Pickle, BigIntegersAreDecimalText) {
  EXPECT_EQ(value_of("\x8A\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00"s).as_string(), "9223372036854775808");
  EXPECT_EQ(value_of("\x8A\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\xFF"s).as_string(), "-9223372036854775809");
  EXPECT_EQ(value_of("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"s).as_string(), "119547037146038801333356");
  EXPECT_EQ(value_of("L-99999999999999999999L\n").as_string(), "-99999999999999999999");
  EXPECT_THAT(body_error("\x8B" + little(uint32_t{2000}) + std::string(2000, 'x')), StartsWith("ResourceLimit"));
  EXPECT_THAT(body_error("Lx9L\n"), HasSubstr("not a decimal number"));
}

TEST(Pickle, Texts) {
  EXPECT_EQ(value_of(text("h\xC3\xA9")).as_string(), "h\xC3\xA9");
  EXPECT_EQ(value_of("\x8C\x02hi").as_string(), "hi");
  EXPECT_EQ(value_of("\x8D" + little(uint64_t{2}) + "hi").as_string(), "hi");
  EXPECT_EQ(value_of("U\x02hi").as_string(), "hi");
  EXPECT_EQ(value_of("U\x02\xFF\x01").as_bytes(), "\xFF\x01");
  EXPECT_EQ(value_of("T\x02\x00\x00\x00hi"s).as_string(), "hi");
  EXPECT_EQ(value_of("S'a\\n\\x41\\''\n").as_string(), "a\nA'");
  EXPECT_EQ(value_of("V\\u00e9\xE9\\U0001d11e\n").as_string(), "\xC3\xA9\xC3\xA9\xF0\x9D\x84\x9E");
  EXPECT_EQ(value_of("C\x02\xFF\x01").as_bytes(), "\xFF\x01");
  EXPECT_EQ(value_of("\x96" + little(uint64_t{1}) + "z").as_bytes(), "z");
  EXPECT_EQ(value_of(global("_codecs", "encode") + text("\xC3\xBFz") + text("latin1") + "\x86R").as_bytes(), "\xFFz");
  EXPECT_THAT(body_error(text("\xED\xA0\x80")), HasSubstr("not UTF-8"));
  EXPECT_THAT(body_error("S'a\n"), HasSubstr("not a string literal"));
  EXPECT_THAT(body_error("S'a\\x4'\n"), HasSubstr("not a string literal"));
  EXPECT_THAT(body_error("V\\ud800\n"), HasSubstr("not a unicode string"));
  EXPECT_THAT(body_error(global("_codecs", "encode") + text("\xE2\x82\xAC") + text("latin1") + "\x86R"), HasSubstr("beyond latin-1"));
}

TEST(Pickle, Containers) {
  const CheckpointValue value = value_of("(K\x01K\x02lq\x01(h\x01Nt\x88\x87");
  ASSERT_EQ(value.kind(), Kind::kTuple);
  ASSERT_EQ(value.size(), 3u);
  EXPECT_EQ(value.at(0).at(1).as_int(), 2);
  EXPECT_EQ(value.at(1).at(0).size(), 2u);
  EXPECT_EQ(value.at(1).at(1).kind(), Kind::kNone);
  EXPECT_EQ(value_of("(K\x01K\x02\x64").find("x"), std::nullopt);
  EXPECT_EQ(value_of("\x8F(K\x01\x90").kind(), Kind::kSet);
  EXPECT_EQ(value_of("(K\x01\x91").size(), 1u);
  EXPECT_EQ(value_of("]\x94K\x01"
                     "a0g0\n")
                .size(),
            1u);
  const CheckpointValue map = value_of("}" + text("k") + "K\x05s");
  EXPECT_EQ(map.find("k")->as_int(), 5);
  EXPECT_EQ(map.key(0).as_string(), "k");
  EXPECT_THROW(map.at(1), Error);
  EXPECT_THROW(map.as_int(), Error);
}

TEST(Pickle, DictFromPairsOfOlderPythons) {
  const CheckpointValue map = value_of(global("collections", "OrderedDict") + "](](" + text("k") +
                                       "K\x05"
                                       "ee\x85R");
  EXPECT_EQ(map.find("k")->as_int(), 5);
  EXPECT_THAT(body_error(global("collections", "OrderedDict") + "](](K\x05"
                                                                "ee\x85R"),
              HasSubstr("other things than pairs"));
}

TEST(Pickle, TorchValuesThatAreNoTensors) {
  EXPECT_EQ(value_of(global("torch", "float16")).as_string(), "torch.float16");
  EXPECT_EQ(value_of(global("torch", "device") + text("cuda") + "K\x01\x86R").as_string(), "cuda:1");
  EXPECT_EQ(value_of(global("torch", "Size") + "(K\x01K\x02t\x85R").kind(), Kind::kTuple);
  EXPECT_EQ(value_of(global("torch.serialization", "_get_layout") + text("torch.strided") + "\x85R").as_string(), "torch.strided");
}

TEST(Pickle, GlobalsBeyondDataAreRefusedByName) {
  EXPECT_THAT(body_error(global("os", "system") + text("true") + "\x85R"),
              AllOf(StartsWith("Unsupported: checkpoint 'test': the pickle refers to global 'os.system'"),
                    HasSubstr("nothing was executed"), HasSubstr("torch.save(model.state_dict()")));
  EXPECT_THAT(body_error(text("os") + text("system") + "\x93"), HasSubstr("'os.system'"));
  EXPECT_THAT(body_error("(" + text("true") + "ios\nsystem\n"), HasSubstr("'os.system'"));
  EXPECT_THAT(body_error(global("argparse", "Namespace")), HasSubstr("'argparse.Namespace'"));
  EXPECT_THAT(body_error(global("torch.nn.modules.linear", "Linear") + ")\x81"), HasSubstr("whole module"));
  EXPECT_THAT(body_error(global("torch._utils", "_rebuild_qtensor")), HasSubstr("quantised"));
  EXPECT_THAT(body_error(global("builtins", "eval")), StartsWith("Unsupported"));
  // A name with a dot could be looked up as an attribute.
  EXPECT_THAT(body_error(text("torch") + text("_utils._rebuild_tensor") + "\x93"), StartsWith("Unsupported"));
  EXPECT_THAT(body_error(global("collections", "OrderedDict")), HasSubstr("bare global"));
  EXPECT_THAT(body_error(text("x") + ")R"), HasSubstr("REDUCE calls a string"));
  EXPECT_THAT(body_error(global("torch", "FloatStorage") + ")R"), HasSubstr("not a function"));
}

TEST(Pickle, OpaqueGlobalsAreReadAround) {
  CheckpointOptions options;
  options.opaque_globals = true;
  const std::string object = global("argparse", "Namespace") + ")\x81}" + text("lr") + "K\x01sb";
  const std::string file = torch_zip(dict({{"args", object}, {"state_dict", dict({{"w", tensor()}})}}));
  const Checkpoint checkpoint = read(file, options);
  EXPECT_EQ(checkpoint.root.find("args")->kind(), Kind::kOpaque);
  EXPECT_EQ(checkpoint.root.find("args")->as_string(), "argparse.Namespace");
  EXPECT_EQ(state_dict_of(checkpoint.root).size(), 1u);
  EXPECT_THAT(read_error(file), HasSubstr("'argparse.Namespace'"));
}

TEST(Pickle, InstructionsCheckTheirTargets) {
  EXPECT_THAT(body_error("]K\x01K\x02s"), HasSubstr("elements of a dict are given to a list"));
  EXPECT_THAT(body_error("](K\x01K\x02u"), HasSubstr("elements of a dict are given to a list"));
  EXPECT_THAT(body_error(tensor() + "K\x01K\x02s"), HasSubstr("elements of a dict are given to a tensor"));
  EXPECT_THAT(body_error("}K\x01"
                         "a"),
              HasSubstr("elements of a list are given to a dict"));
  EXPECT_THAT(body_error("}(K\x01"
                         "e"),
              HasSubstr("elements of a list are given to a dict"));
  EXPECT_THAT(body_error("](K\x01\x90"), HasSubstr("elements of a set are given to a list"));
  EXPECT_THAT(body_error("]}b"), HasSubstr("BUILD is applied to a list"));
  EXPECT_THAT(body_error("}K\x01"
                         "b"),
              HasSubstr("BUILD gives a dict the state of a int"));
  EXPECT_THAT(body_error("}(K\x01u"), HasSubstr("key without value"));
  EXPECT_THAT(body_error("(K\x01\x64"), HasSubstr("key without value"));
  EXPECT_THAT(body_error("}]K\x01s"), HasSubstr("key of kind list"));
  EXPECT_THAT(body_error("}(" + text("k") + "N" + text("k") + "Nu"), HasSubstr("the key 'k' twice"));
  EXPECT_THAT(body_error("}(K\x01NK\x01Nu"), HasSubstr("the key 1 twice"));
}

TEST(Pickle, StackAndMemoAreChecked) {
  for (const std::string body : {"",  "0",     "1",    "2",    "a",    "s",    "u", "e",    "t",    "l",    "d",    "R",   "b",
                                 "Q", "q\x01", "\x94", "\x85", "\x86", "\x87", "o", "\x81", "\x92", "\x93", "\x90", "\x91"}) {
    EXPECT_THAT(body_error(body), StartsWith("InvalidModel: checkpoint 'test': the pickle is broken: an instruction finds ")) << body;
  }
  EXPECT_THAT(body_error("N(a"), HasSubstr("too few values"));
  EXPECT_THAT(body_error("NN"), HasSubstr("values are left on the stack"));
  EXPECT_THAT(body_error("h\x05"), HasSubstr("memo entry 5"));
  EXPECT_THAT(body_error("g-1\n"), HasSubstr("not a memo index"));
  for (const char code : "P\x82\x83\x84\x97\x98\xFF\x01"s) EXPECT_THAT(body_error(std::string(1, code)), HasSubstr("has instruction 0x"));
  EXPECT_THAT(read_error(zip({{"a/data.pkl", "\x80\x06N."}})), HasSubstr("protocol 6"));
  EXPECT_THAT(read_error(zip({{"a/data.pkl", "\x80\x02X\xFF\xFF\xFF\xFFN."}})), HasSubstr("the pickle is truncated"));
  EXPECT_THAT(read_error(zip({{"a/data.pkl",
                               "\x80\x02"
                               "c"
                               "os"}})),
              HasSubstr("truncated"));
}

TEST(Pickle, MemoIsBounded) {
  CheckpointOptions options;
  options.limits.max_memo = 3;
  EXPECT_THAT(body_error("Nq\x01q\x02q\x03q\x04", options), HasSubstr("max_memo"));
  options = {};
  options.limits.max_pickle_ops = 100;
  EXPECT_THAT(body_error("]" + std::string(200, '0'), options), HasSubstr("too few"));
  std::string pops;
  for (int i = 0; i < 100; ++i) pops += "N0";
  EXPECT_THAT(body_error("]" + pops, options), HasSubstr("max_pickle_ops"));
}

TEST(Pickle, NestingIsBounded) {
  const auto nested = [](size_t depth) { return std::string(depth, ']') + std::string(depth - 1, 'a'); };
  EXPECT_EQ(value_of(nested(100)).size(), 1u);
  EXPECT_THAT(body_error(nested(101)), HasSubstr("max_depth"));
  EXPECT_THAT(body_error(nested(1'000'000)), HasSubstr("max_depth"));
  std::string tuples = ")";
  for (int i = 0; i < 1'000'000; ++i) tuples += "\x85";
  EXPECT_THAT(body_error(tuples), HasSubstr("max_depth"));
}

// Each list holds the one before it ten times: 10^40 values in a few hundred bytes.
TEST(Pickle, RepeatedValuesAreCountedAtEachPlace) {
  std::string body = "]q\x01";
  for (int i = 0; i < 40; ++i) {
    body += "0](";
    for (int k = 0; k < 10; ++k) body += "h\x01";
    body += "eq\x01";
  }
  EXPECT_THAT(body_error(body), AllOf(StartsWith("ResourceLimit"), HasSubstr("max_values")));
}

TEST(Pickle, SharedValuesStayShared) {
  const CheckpointValue value = value_of("](" + tensor() +
                                         "q\x01h\x01"
                                         "e");
  EXPECT_EQ(value.at(0).as_tensor().identity(), value.at(1).as_tensor().identity());
}

TEST(Pickle, CyclesAreRefused) {
  EXPECT_THAT(body_error("]q\x01h\x01"
                         "a"),
              HasSubstr("a list contains itself"));
  EXPECT_THAT(body_error("}q\x01" + text("k") +
                         "]h\x01"
                         "as"),
              HasSubstr("a dict contains itself"));
}

TEST(Pickle, CopyingInstructionsCountAsWork) {
  // set(list) copies the list each time.
  std::string body = "](";
  for (int i = 0; i < 1000; ++i) body += "N";
  body += "eq\x01";
  body += "0" + global("builtins", "set") + "q\x02";
  for (int i = 0; i < 1000; ++i) body += "0h\x02h\x01\x85R";
  CheckpointOptions options;
  options.limits.max_pickle_ops = 100'000;
  EXPECT_THAT(body_error(body, options), HasSubstr("max_pickle_ops"));
}

TEST(Pickle, NumpyScalarsAndArrays) {
  const auto type = [](std::string_view code, std::string_view order) {
    return global("numpy", "dtype") + text(code) + "\x89\x88\x87R(K\x03" + text(order) + "NNNJ\xFF\xFF\xFF\xFFJ\xFF\xFF\xFF\xFFK\x00tb"s;
  };
  const std::string scalar = global("numpy.core.multiarray", "scalar");
  EXPECT_DOUBLE_EQ(value_of(scalar + type("f8", "<") + "C\x08" + little(std::bit_cast<uint64_t>(0.75)) + "\x86R").as_float(), 0.75);
  EXPECT_EQ(value_of(scalar + type("i2", ">") + "C\x02\x01\x02\x86R").as_int(), 0x102);
  EXPECT_EQ(value_of(scalar + type("u8", "<") + "C\x08" + little(~uint64_t{0}) + "\x86R").as_string(), "18446744073709551615");
  EXPECT_THAT(body_error(scalar + type("f8", "<") + "C\x02\x01\x02\x86R"), HasSubstr("a numpy scalar of 8 bytes has 2"));
  EXPECT_THAT(body_error(global("numpy", "dtype") + text("O8") + "\x85R"), HasSubstr("numpy data of type 'O8'"));

  const auto array = [&](std::string_view code, std::string_view order, std::string_view fortran, const std::string& data) {
    return global("numpy.core.multiarray", "_reconstruct") + global("numpy", "ndarray") +
           "K\x00\x85"
           "C\x01"
           "b\x87R(K\x01K\x02K\x03\x86"s +
           type(code, order) + std::string(fortran) + "B" + little(static_cast<uint32_t>(data.size())) + data + "tb";
  };
  EXPECT_THAT(value_of(array("i1", "|", "\x89", "abcdef")).as_tensor().values<int8_t>(),
              ::testing::ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
  EXPECT_THAT(value_of(array("i1", "|", "\x88", "abcdef")).as_tensor().values<int8_t>(),
              ::testing::ElementsAre('a', 'c', 'e', 'b', 'd', 'f'));
  const CheckpointValue swapped = value_of(array("i2", ">", "\x89", "\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06"s));
  EXPECT_THAT(swapped.as_tensor().values<int16_t>(), ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(swapped.as_tensor().shape(), (Shape{2, 3}));
  EXPECT_THAT(body_error(array("i2", "<", "\x89", "abc")), HasSubstr("has 3 bytes"));
}

}  // namespace
}  // namespace sardonyx::checkpoint::testing
