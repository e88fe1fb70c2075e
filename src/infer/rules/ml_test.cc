// ai.onnx.ml and ai.onnx.preview.training.
#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

struct Case {
  std::string inputs, nodes, wanted;  // a type, or a part of the refusal
};

std::string graph(const Case& c) { return "g (" + c.inputs + ") => (y) { " + c.nodes + " }"; }

std::string imports(int version) { return ", \"ai.onnx.ml\" : " + std::to_string(version) + ", \"ai.onnx.preview.training\" : 1"; }

void expect_types(int version, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(inferred(graph(c), "y", 27, imports(version)), c.wanted) << c.inputs << ": " << c.nodes << " at version " << version;
  }
}

void expect_refused(int version, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_THAT(refused(graph(c), 27, imports(version)), HasSubstr(c.wanted)) << c.inputs << ": " << c.nodes << " at version " << version;
  }
}

TEST(MlFeatures, KeepShapes) {
  expect_types(5, {
                      {"double[N,3] x", "y = ai.onnx.ml.Binarizer (x)", "double[N,3]"},
                      {"int64[N,3] x", "y = ai.onnx.ml.Imputer (x)", "int64[N,3]"},
                      {"int64[N,3] x", "y = ai.onnx.ml.Scaler (x)", "float[N,3]"},
                      {"double[3] x", "y = ai.onnx.ml.Normalizer (x)", "float[3]"},
                  });
}

TEST(MlFeatures, SelectElements) {
  expect_types(5, {
                      {"string[N,3] x, int64[4] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "string[N,4]"},
                      {"float[2,N,3] x, int64[1,K] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "float[2,N,K]"},
                      {"float[2,N,3] x, int64[2,K] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "float[2,N,?]"},
                      {"float[2,3] x, int64[] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "float[2,?]"},
                      {"float[3] x, int64[2] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "float[]"},
                  });
  expect_refused(5, {{"float[2,3] x, int64[4294967296,4294967296] i", "y = ai.onnx.ml.ArrayFeatureExtractor (x, i)", "too many elements"}});
}

TEST(MlFeatures, ReadMaps) {
  expect_types(5, {
                      {"map(int64, float) x", "y = ai.onnx.ml.CastMap (x)", "float[]"},
                      {"map(int64, float) x", "y = ai.onnx.ml.CastMap <cast_to = \"TO_INT64\"> (x)", "int64[]"},
                      {"map(int64, float) x", "y = ai.onnx.ml.CastMap <cast_to = \"TO_STRING\"> (x)", "string[]"},
                      {"map(string, double) x", "y = ai.onnx.ml.DictVectorizer <string_vocabulary = [\"a\"]> (x)", "double[]"},
                  });
}

TEST(MlFeatures, StandSideBySide) {
  expect_types(5,
               {
                   {"float[N,3] a, float[N,4] b", "y = ai.onnx.ml.FeatureVectorizer (a, b)", "float[N,7]"},
                   {"float[N,3] a, float[M,4] b", "y = ai.onnx.ml.FeatureVectorizer (a, b)", "float[?,7]"},
                   {"int64[3] a, int64[1,4] b", "y = ai.onnx.ml.FeatureVectorizer (a, b)", "float[1,7]"},
                   {"float[N,3] a, float[N,K] b", "y = ai.onnx.ml.FeatureVectorizer (a, b)", "float[N,?]"},
                   {"float[N,J] a, float[N,K] b", "y = ai.onnx.ml.FeatureVectorizer <inputdimensions = [2, 5]> (a, b)", "float[N,7]"},
                   {"float[N,J] a, float[] b",
                    "y = ai.onnx.ml.FeatureVectorizer <inputdimensions = [9223372036854775807, 9223372036854775807]> (a, b)", "float[?,?]"},
               });
}

TEST(MlFeatures, OneHot) {
  expect_types(5, {
                      {"int64[N,3] x", "y = ai.onnx.ml.OneHotEncoder <cats_int64s = [1, 2, 3, 4]> (x)", "float[N,3,4]"},
                      {"string[N] x", "y = ai.onnx.ml.OneHotEncoder <cats_strings = [\"a\", \"b\"]> (x)", "float[N,2]"},
                      {"int64[] x", "y = ai.onnx.ml.OneHotEncoder <cats_int64s = [1]> (x)", "float[]"},
                  });
  expect_refused(5, {
                        {"int64[3] x", "y = ai.onnx.ml.OneHotEncoder (x)", "exactly one"},
                        {"int64[3] x", "y = ai.onnx.ml.OneHotEncoder <cats_int64s = [1], cats_strings = [\"a\"]> (x)", "exactly one"},
                    });
}

TEST(MlLabels, MapBetweenTypes) {
  const std::string categories = "y = ai.onnx.ml.CategoryMapper <cats_int64s = [1, 2], cats_strings = [\"a\", \"b\"]> (x)";
  expect_types(1, {
                      {"string[N,2] x", categories, "int64[N,2]"},
                      {"int64[N,2] x", categories, "string[N,2]"},
                      {"int64[N,2] x", "y = ai.onnx.ml.LabelEncoder <classes_strings = [\"a\"]> (x)", "string[N,2]"},
                      {"string[N,2] x", "y = ai.onnx.ml.LabelEncoder <classes_strings = [\"a\"]> (x)", "int64[N,2]"},
                  });
  expect_refused(1, {
                        {"string[2] x", "y = ai.onnx.ml.CategoryMapper <cats_int64s = [1]> (x)", "both"},
                        {"string[2] x", "y = ai.onnx.ml.CategoryMapper <cats_int64s = [1, 2], cats_strings = [\"a\"]> (x)", "2 entries"},
                    });
}

TEST(MlLabels, EncoderHasLists) {
  for (const int version : {2, 4}) {
    expect_types(version, {
                              {"string[N] x", "y = ai.onnx.ml.LabelEncoder <keys_strings = [\"a\"], values_int64s = [1]> (x)", "int64[N]"},
                              {"int64[N] x", "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1], values_floats = [1.5]> (x)", "float[N]"},
                              {"float[] x", "y = ai.onnx.ml.LabelEncoder <keys_floats = [1.5], values_strings = [\"a\"]> (x)", "string[]"},
                          });
    expect_refused(version,
                   {
                       {"string[2] x", "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1], values_int64s = [1]> (x)", "the keys are int64"},
                       {"int64[2] x", "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1], keys_strings = [\"a\"], values_int64s = [1]> (x)",
                        "keys are given by more than one"},
                       {"int64[2] x", "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1]> (x)", "no attribute gives the values"},
                   });
  }
  expect_types(4, {{"double[N] x", "y = ai.onnx.ml.LabelEncoder <keys_tensor = double[2] {1, 2}, values_tensor = int16[2] {3, 4}> (x)",
                    "int16[N]"}});
  expect_refused(4,
                 {
                     {"int64[2] x", "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1, 2], values_int64s = [1]> (x)", "2 keys and 1 values"},
                     {"int64[2] x", "y = ai.onnx.ml.LabelEncoder <keys_tensor = int64 {1}, values_int64s = [1]> (x)", "rank 1"},
                     {"int64[2] x",
                      "y = ai.onnx.ml.LabelEncoder <keys_int64s = [1], values_int64s = [1], "
                      "default_tensor = float[1] {1}> (x)",
                      "'default_tensor' must be one int64"},
                 });
}

TEST(MlLabels, ZipMapsAreRead) {
  expect_types(5, {
                      {"float[N,2] x", "y = ai.onnx.ml.ZipMap <classlabels_strings = [\"a\", \"b\"]> (x)", "seq(map(string, float))"},
                      {"float[2] x", "y = ai.onnx.ml.ZipMap <classlabels_int64s = [1, 2]> (x)", "seq(map(int64, float))"},
                  });
  expect_refused(5, {{"float[1,1,2] x", "y = ai.onnx.ml.ZipMap <classlabels_int64s = [1, 2]> (x)", "rank 1 or 2"}});
}

TEST(MlModels, Linear) {
  const std::string strings = "<coefficients = [1.0], intercepts = [0.0], classlabels_strings = [\"a\", \"b\"]> (x)";
  const std::string numbers = "<coefficients = [1.0], intercepts = [0.0, 1.0, 2.0], classlabels_ints = [1, 2, 3]> (x)";
  expect_types(1, {
                      {"float[N,3] x", "y, z = ai.onnx.ml.LinearClassifier " + strings, "string[N]"},
                      {"float[N,3] x", "z, y = ai.onnx.ml.LinearClassifier " + strings, "float[N,2]"},
                      {"float[3] x", "z, y = ai.onnx.ml.LinearClassifier " + numbers, "float[1,3]"},
                      {"float[] x", "y, z = ai.onnx.ml.LinearClassifier " + numbers, "int64[?]"},
                      {"float[N,3] x", "y = ai.onnx.ml.LinearRegressor <targets = 4> (x)", "float[N,4]"},
                      {"float[3] x", "y = ai.onnx.ml.LinearRegressor (x)", "float[1,1]"},
                      {"float[] x", "y = ai.onnx.ml.LinearRegressor <targets = -4> (x)", "float[?,?]"},
                  });
  expect_refused(1, {{"float[1,2,3] x", "y, z = ai.onnx.ml.LinearClassifier " + numbers, "rank 1 or 2"}});
}

TEST(MlModels, SupportVectors) {
  expect_types(1, {
                      {"float[N,3] x", "y, z = ai.onnx.ml.SVMClassifier <classlabels_strings = [\"a\"]> (x)", "string[N]"},
                      {"float[N,3] x", "z, y = ai.onnx.ml.SVMClassifier <classlabels_ints = [1]> (x)", "float[N,?]"},
                      {"float[N,3] x", "y = ai.onnx.ml.SVMRegressor (x)", "float[N,1]"},
                  });
}

TEST(MlModels, Trees) {
  for (const int version : {1, 3}) {
    expect_types(version,
                 {
                     {"float[N,3] x", "y, z = ai.onnx.ml.TreeEnsembleClassifier <classlabels_int64s = [1, 2]> (x)", "int64[N]"},
                     {"float[N,3] x", "z, y = ai.onnx.ml.TreeEnsembleClassifier <classlabels_strings = [\"a\"]> (x)", "float[N,1]"},
                     {"float[N,3] x", "y = ai.onnx.ml.TreeEnsembleRegressor <n_targets = 3> (x)", "float[N,3]"},
                     {"float[N,3] x", "y = ai.onnx.ml.TreeEnsembleRegressor (x)", "float[N,?]"},
                 });
  }
  expect_refused(
      3, {
             {"float[3] x", "y, z = ai.onnx.ml.TreeEnsembleClassifier <classlabels_int64s = [1, 2]> (x)", "must have rank 2"},
             {"float[2,3] x", "y, z = ai.onnx.ml.TreeEnsembleClassifier (x)", "one of 'classlabels_int64s'"},
             {"float[2,3] x", "y = ai.onnx.ml.TreeEnsembleRegressor <base_values = [1.0], base_values_as_tensor = double[1] {1}> (x)",
              "only one of 'base_values' and 'base_values_as_tensor'"},
         });
}

// One node with two leaves; `change` is put in the place of the attribute that it names.
std::string tree(std::string_view change = "", std::string_view name = "none") {
  const std::pair<std::string_view, std::string_view> attributes[] = {
      {"nodes_splits", "nodes_splits = float[1] {3}"},    {"nodes_featureids", "nodes_featureids = [0]"},
      {"nodes_modes", "nodes_modes = uint8[1] {0}"},      {"nodes_truenodeids", "nodes_truenodeids = [0]"},
      {"nodes_falsenodeids", "nodes_falsenodeids = [1]"}, {"nodes_trueleafs", "nodes_trueleafs = [1]"},
      {"nodes_falseleafs", "nodes_falseleafs = [1]"},     {"leaf_targetids", "leaf_targetids = [0, 1]"},
      {"leaf_weights", "leaf_weights = float[2] {1, 2}"}, {"none", "n_targets = 2, tree_roots = [0]"},
  };
  std::string list;
  for (const auto& [key, value] : attributes) {
    const std::string_view text = key == name ? change : value;
    if (!text.empty()) list += (list.empty() ? "" : ", ") + std::string(text);
  }
  return "y = ai.onnx.ml.TreeEnsemble <" + list + "> (x)";
}

TEST(MlModels, TreesOfVersionFive) {
  expect_types(5, {{"float[N,3] x", tree("n_targets = 2, tree_roots = [0]"), "float[N,2]"}});
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"nodes_splits", "", "'nodes_splits' must be a tensor of rank 1"},
      {"nodes_splits", "nodes_splits = float {3}", "'nodes_splits' must be a tensor of rank 1"},
      {"nodes_splits", "nodes_splits = double[1] {3}", "'nodes_splits' is double, it must be float"},
      {"nodes_featureids", "nodes_featureids = [0, 1]", "'nodes_featureids' has 2 entries, it must have 1"},
      {"nodes_modes", "nodes_modes = float[1] {0}", "'nodes_modes' is float, it must be uint8"},
      {"nodes_modes", "nodes_modes = uint8[2] {0, 0}", "'nodes_modes' has 2 entries"},
      {"nodes_trueleafs", "", "'nodes_trueleafs' has 0 entries"},
      {"leaf_weights", "leaf_weights = double[2] {1, 2}", "'leaf_weights' is double"},
      {"leaf_targetids", "leaf_targetids = [0]", "'leaf_targetids' has 1 entries, it must have 2"},
      {"none", "nodes_hitrates = float[2] {1, 2}", "'nodes_hitrates' has 2 entries"},
      {"none", "nodes_missing_value_tracks_true = [1, 0]", "has 2 entries"},
      {"none", "membership_values = double[1] {1}", "'membership_values' is double"},
  };
  for (const auto& [name, change, message] : cases) expect_refused(5, {{"float[2,3] x", tree(change, name), message}});
  expect_refused(5, {{"float[3] x", tree("n_targets = 1"), "must have rank 2"}});
}

TEST(Training, StepsKeepShapes) {
  const std::string one = "float r, int64 t, float[N,2] x, float[N,2] g, float[N,2] h, float[2] v";
  expect_types(5, {
                      {one, "y, h2 = ai.onnx.preview.training.Adagrad (r, t, x, g, h)", "float[N,2]"},
                      {one, "x2, y = ai.onnx.preview.training.Adagrad (r, t, x, g, h)", "float[N,2]"},
                      {one,
                       "x2, y = ai.onnx.preview.training.Momentum <alpha = 1.0, beta = 1.0, mode = \"standard\", "
                       "norm_coefficient = 0.0> (r, t, x, g, h)",
                       "float[N,2]"},
                      {one, "x2, w2, v2, v3, y, h3 = ai.onnx.preview.training.Adam (r, t, x, v, g, v, x, v, h, v)", "float[N,2]"},
                      {one, "x2, w2, v2, y, h2, h3 = ai.onnx.preview.training.Adam (r, t, x, v, g, v, x, v, h, v)", "float[2]"},
                      {one, "w, y = ai.onnx.preview.training.Gradient <xs = [\"x\", \"v\"], y = \"r\"> (x, v)", "float[2]"},
                  });
  expect_refused(5, {
                        {one, "y, h2 = ai.onnx.preview.training.Momentum (r, t, x, g)", "groups of as many inputs"},
                        {one, "y, v2, h2 = ai.onnx.preview.training.Adam (r, t, x, g, h)", "come 4 groups"},
                    });
}

}  // namespace
}  // namespace sardonyx::infer
