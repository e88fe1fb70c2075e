#!/usr/bin/env python3
"""Holds sardonyx to scikit-learn and ONNX Runtime on models that skl2onnx converts.

usage: sklearn_test.py --tool build/bin/sklearn_driver [--only NAME,NAME]

Each model is fitted on small data, converted (a classifier with its probabilities as a tensor, as a sequence of maps, and as a tensor for
each class) and run on rows it has not seen. Labels must be the same as scikit-learn's and ONNX Runtime's, numbers close: scikit-learn
computes in double what a model of float32 does not. Models whose graphs use what sardonyx does not have stand in MISSING, with the reason;
one that runs all the same is a failure.
The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""
import argparse
import os
import sys
import tempfile
import warnings

try:
    import numpy as np
    import onnx
    import onnxruntime
    import sklearn
    import skl2onnx
    from onnx import numpy_helper
    from skl2onnx.common.data_types import DictionaryType, DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
    from sklearn import (calibration, cluster, compose, cross_decomposition, datasets, decomposition, discriminant_analysis, ensemble,
                         feature_extraction, feature_selection, gaussian_process, impute, linear_model, mixture,
                         multiclass, naive_bayes, neighbors, neural_network, pipeline, preprocessing, random_projection, svm, tree)
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from model_test import Driver, Tally

# Name of a case -> what its graph needs that sardonyx does not have.
MISSING = {
    "TfidfVectorizer": "com.microsoft.Tokenizer splits the text, an operator of ONNX Runtime alone",
    "CountVectorizer": "com.microsoft.Tokenizer splits the text, an operator of ONNX Runtime alone",
    "FeatureHasher": "com.microsoft.MurmurHash3 hashes the words, an operator of ONNX Runtime alone",
}
OPSET = {"": 18, "ai.onnx.ml": 3}


def make_attribute(key, value, *rest, make=onnx.helper.make_attribute, **more):
    """onnx.helper.make_attribute that takes booleans for integers, which skl2onnx gives for HistGradientBoosting."""
    if isinstance(value, list) and any(isinstance(item, (bool, np.bool_)) for item in value):
        value = [int(item) for item in value]
    return make(key, value, *rest, **more)


onnx.helper.make_attribute = make_attribute


class Case:
    """A model to fit. `inputs`: name -> type of skl2onnx; by default one tensor of the rows' type."""

    def __init__(self, name, model, x, y=None, inputs=None, options=None, tolerance=2e-4, outputs=None):
        self.name, self.model, self.x, self.y = name, model, x, y
        self.inputs, self.options, self.tolerance, self.outputs = inputs, options or {}, tolerance, outputs
        self.count = len(x) * 2 // 3

    def fitted(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.y is None:
                return self.model.fit(self.x[:self.count])
            return self.model.fit(self.x[:self.count], self.y[:self.count])

    def feeds(self):
        rows = self.x[self.count:]
        if self.inputs is None:
            return {"X": rows}
        feeds, column = {}, 0
        for name, kind in self.inputs:
            if isinstance(kind, DictionaryType):
                feeds[name] = rows[0]
                continue
            width = kind.shape[1] if len(kind.shape) > 1 else 1
            part = np.asarray(rows).reshape(len(rows), -1)[:, column:column + width]
            column += width
            dtype = {FloatTensorType: np.float32, DoubleTensorType: np.float64, Int64TensorType: np.int64,
                     StringTensorType: object}[type(kind)]
            feeds[name] = part.astype(dtype).reshape([len(rows)] + list(kind.shape[1:]))
        return feeds


def tensor_type(x):
    kinds = {"f4": FloatTensorType, "f8": DoubleTensorType, "i8": Int64TensorType}
    kind = kinds.get(x.dtype.str[1:], StringTensorType)
    return kind([None, x.shape[1]])


def convert(case, model, zipmap):
    options = dict(case.options)
    if zipmap is not None:
        options["zipmap"] = zipmap
    return skl2onnx.convert_sklearn(model, initial_types=case.inputs or [("X", tensor_type(case.x))], target_opset=OPSET,
                                    options={id(model): options} if options else None)


class Engine(Driver):
    def session(self, model, feeds):
        """(outputs, error)"""
        words = []
        for number, (name, value) in enumerate(feeds.items()):
            words += [name, self.put_value(f"in{number}", value)]
        error = self.run("run", self.put("model.onnx", model.SerializeToString()), self.folder, *words)
        if error:
            return None, error
        with open(self.path("outputs"), encoding="utf-8") as file:
            return [self.read_value(line.split()) for line in file], None

    def put_value(self, name, value):
        if isinstance(value, dict):
            keys = np.array(list(value), dtype=object if isinstance(next(iter(value)), str) else np.int64)
            values = np.array(list(value.values()), dtype=np.float32)
            return f"[ {self.put_value(name + 'k', keys)} {self.put_value(name + 'v', values)} ]"
        return self.put(name, numpy_helper.from_array(value).SerializeToString())

    def read_value(self, words):
        """Numpy array; a list of such for a sequence, a dictionary for a map (in a sequence)."""
        word = words.pop(0)
        if word != "[":
            with open(self.path(word), "rb") as file:
                array = numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
            return np.vectorize(as_text, otypes=[object])(array) if array.dtype == object and array.size else array
        items = []
        while words[0] != "]":
            items.append(self.read_value(words))
        words.pop(0)
        return [dict(zip(*(part.tolist() for part in item))) if isinstance(item, list) else item for item in items]


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


def plain(value):
    """An output as one array, and the keys if it was a sequence of maps."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        keys = sorted(value[0])
        return np.array([[row[key] for key in keys] for row in value]), keys
    return np.asarray(value), None


def difference(ours, theirs, tolerance, ties=None):
    """Why the two are not the same, or None. Labels may differ in the rows that `ties` tells."""
    (ours, our_keys), (theirs, their_keys) = plain(ours), plain(theirs)
    if our_keys != their_keys:
        return f"keys {our_keys}, not {their_keys}"
    if ours.size != theirs.size:
        return f"shape {ours.shape}, not {theirs.shape}"
    theirs = theirs.reshape(ours.shape)
    exact = "OUSiub"
    if ours.dtype.kind in exact and theirs.dtype.kind in exact:
        wrong = ours.astype(str) != theirs.astype(str)
        if ties is not None and wrong.shape == ties.shape:
            wrong &= ~ties
        return f"{np.count_nonzero(wrong)} of {ours.size} labels differ" if wrong.any() else None
    apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)) / np.maximum(1, np.abs(theirs.astype(np.float64)))
    same_nan = np.array_equal(np.isnan(ours), np.isnan(theirs))
    greatest = float(np.nanmax(apart)) if apart.size and not np.all(np.isnan(apart)) else 0.0
    return None if same_nan and greatest <= tolerance else f"apart by {greatest:.3g}"


def expectation(case, model):
    """What scikit-learn gives, in the order of the converted model's outputs; None where it has nothing to compare."""
    rows = case.x[case.count:]
    if case.inputs is not None and isinstance(case.inputs[0][1], DictionaryType):
        rows = [rows[0]]
    if case.outputs is not None:
        return case.outputs(model, rows)
    if sklearn.base.is_classifier(model):
        scores = model.predict_proba(rows) if hasattr(model, "predict_proba") else None
        return [model.predict(rows), scores]
    if sklearn.base.is_regressor(model):
        return [model.predict(rows)]
    if isinstance(model, sklearn.base.OutlierMixin):
        return [model.predict(rows), model.decision_function(rows)]
    if isinstance(model, sklearn.base.ClusterMixin):
        return [model.predict(rows)]
    result = model.transform(rows)
    return [result.toarray() if hasattr(result, "toarray") else result]


def tied_rows(expected):
    """Rows whose two best classes are so near each other that rounding decides, or None."""
    if len(expected) < 2 or expected[1] is None or np.ndim(expected[1]) != 2:
        return None
    scores = np.sort(expected[1], axis=1)
    return scores[:, -1] - scores[:, -2] < 1e-6


def runtime_outputs(model, feeds):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {name: [value] if isinstance(value, dict) else value for name, value in feeds.items()}
    feeds = {name: value[0] if isinstance(value, list) else value for name, value in feeds.items()}
    return session.run(None, feeds)


def variants(case, model):
    """Forms of the probabilities; maps hold float32 only."""
    if not sklearn.base.is_classifier(model) or not hasattr(model, "predict_proba"):
        return [None]
    is_double = isinstance(case.x, np.ndarray) and case.x.dtype == np.float64
    return [False, "columns"] if is_double else [False, True, "columns"]


def check_variant(engine, tally, case, model, zipmap):
    name = case.name if zipmap is None else f"{case.name}, zipmap {zipmap}"
    try:
        converted = convert(case, model, zipmap)
    except Exception as error:  # pylint: disable=broad-except  (whatever skl2onnx raises)
        return tally.check("converts", name, False, error)
    feeds = case.feeds()
    ours, error = engine.session(converted, feeds)
    if case.name in MISSING:
        tally.check("missing", name, error is not None, "runs; take it off the list MISSING")
        if error:
            tally.skip(name, MISSING[case.name])
        return None
    if error:
        return tally.check("runs", name, False, error)
    expected = expectation(case, model)
    ties = tied_rows(expected)
    for number, (mine, other) in enumerate(zip(ours, runtime_outputs(converted, feeds))):
        why = difference(mine, other, case.tolerance, ties)
        tally.check("ONNX Runtime", f"{name}, output {number}", why is None, why)
    if zipmap == "columns":
        ours = [ours[0], np.stack(ours[1:], axis=1)]
    for number, (mine, other) in enumerate(zip(ours, expected)):
        if other is None:
            continue
        if number == 1 and isinstance(mine, list):
            mine = np.array([[row[key] for key in model.classes_.tolist()] for row in mine])
        why = difference(mine, other, case.tolerance, ties)
        tally.check("scikit-learn", f"{name}, output {number}", why is None, why)
    return None


def flowers():
    x, y = datasets.load_iris(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(y))
    return x[order].astype(np.float32), y[order]


def digits():
    x, y = datasets.load_digits(return_X_y=True)
    return x[:450].astype(np.float32), y[:450]


def curve():
    random = np.random.default_rng(2)
    x = random.normal(size=(150, 4)).astype(np.float32)
    return x, (x[:, 0] * 2 + np.sin(x[:, 1] * 2) - x[:, 2] ** 2).astype(np.float64)


def classifiers():
    x, three = flowers()
    two = (three > 0).astype(np.int64) + 3
    names = np.array(["setosa", "versicolor", "virginica"])[three]
    counts, which = digits()
    few = which % 4
    yield Case("LogisticRegression, two classes", linear_model.LogisticRegression(max_iter=300), x, two)
    yield Case("LogisticRegression, three classes", linear_model.LogisticRegression(max_iter=300), x, three)
    yield Case("LogisticRegression, strings", linear_model.LogisticRegression(max_iter=300), x, names)
    yield Case("LogisticRegression, double", linear_model.LogisticRegression(max_iter=300), x.astype(np.float64), names)
    yield Case("SGDClassifier, hinge", linear_model.SGDClassifier(random_state=0), x, three, tolerance=1e-3)
    yield Case("SGDClassifier, log loss", linear_model.SGDClassifier(loss="log_loss", random_state=0), x, names, tolerance=1e-3)
    yield Case("Perceptron", linear_model.Perceptron(random_state=0), x, three, tolerance=1e-3)
    yield Case("RidgeClassifier", linear_model.RidgeClassifier(), x, three)
    yield Case("LinearSVC, two classes", svm.LinearSVC(random_state=0), x, two)
    yield Case("LinearSVC, three classes", svm.LinearSVC(random_state=0), x, names)
    for kernel in ("rbf", "poly", "linear", "sigmoid"):
        yield Case(f"SVC, {kernel}", svm.SVC(kernel=kernel, probability=True, random_state=0), x, three, tolerance=1e-3)
    yield Case("SVC, two classes", svm.SVC(probability=True, random_state=0), x, two, tolerance=1e-3)
    yield Case("SVC, strings", svm.SVC(probability=True, random_state=0), x, names, tolerance=1e-3)
    yield Case("SVC without probabilities", svm.SVC(), x, three)
    yield Case("NuSVC", svm.NuSVC(nu=0.2, probability=True, random_state=0), x, three, tolerance=1e-3)
    yield Case("DecisionTreeClassifier, two classes", tree.DecisionTreeClassifier(random_state=0), x, two)
    yield Case("DecisionTreeClassifier, strings", tree.DecisionTreeClassifier(random_state=0), x, names)
    yield Case("RandomForestClassifier", ensemble.RandomForestClassifier(25, random_state=0), counts, which)
    yield Case("RandomForestClassifier, two classes", ensemble.RandomForestClassifier(25, random_state=0), x, two)
    yield Case("RandomForestClassifier, double", ensemble.RandomForestClassifier(15, random_state=0), x.astype(np.float64), three)
    yield Case("ExtraTreesClassifier", ensemble.ExtraTreesClassifier(25, random_state=0), counts, few)
    yield Case("GradientBoostingClassifier, two classes", ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0), x, two)
    yield Case("GradientBoostingClassifier, three classes", ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0), x, three)
    yield Case("HistGradientBoostingClassifier, two classes", ensemble.HistGradientBoostingClassifier(max_iter=20), x, two)
    yield Case("HistGradientBoostingClassifier, three classes", ensemble.HistGradientBoostingClassifier(max_iter=20), with_gaps(x), names)
    yield Case("AdaBoostClassifier", ensemble.AdaBoostClassifier(n_estimators=10, random_state=0), x, three)
    yield Case("BaggingClassifier", ensemble.BaggingClassifier(n_estimators=5, random_state=0), x, three)
    yield Case("VotingClassifier", ensemble.VotingClassifier([("tree", tree.DecisionTreeClassifier(random_state=0)), ("bayes",
               naive_bayes.GaussianNB())], voting="soft", flatten_transform=False), x, three, tolerance=1e-3)
    places, heights = curve()
    yield Case("KNeighborsClassifier", neighbors.KNeighborsClassifier(), places, (heights > 0) + 1)
    yield Case("KNeighborsClassifier, strings", neighbors.KNeighborsClassifier(3), places, names)
    yield Case("MLPClassifier", neural_network.MLPClassifier((12,), max_iter=200, random_state=0), x, three)
    yield Case("MLPClassifier, two classes", neural_network.MLPClassifier((8, 8), activation="tanh", max_iter=200, random_state=0), x, two)
    yield Case("GaussianNB", naive_bayes.GaussianNB(), x, names, tolerance=1e-3)
    yield Case("BernoulliNB", naive_bayes.BernoulliNB(binarize=8.0), counts, which, tolerance=1e-3)
    yield Case("MultinomialNB", naive_bayes.MultinomialNB(), counts, few, tolerance=2e-3)
    yield Case("ComplementNB", naive_bayes.ComplementNB(), counts, few, tolerance=2e-3)
    yield Case("LinearDiscriminantAnalysis", discriminant_analysis.LinearDiscriminantAnalysis(), x, three, tolerance=1e-3)
    yield Case("QuadraticDiscriminantAnalysis", discriminant_analysis.QuadraticDiscriminantAnalysis(), x, three, tolerance=2e-3)
    yield Case("OneVsRestClassifier", multiclass.OneVsRestClassifier(linear_model.LogisticRegression(max_iter=300)), x, three)
    yield Case("CalibratedClassifierCV", calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3), x, three, tolerance=1e-3)


def with_gaps(x):
    x = x.copy()
    x[np.random.default_rng(3).random(x.shape) < 0.1] = np.nan
    return x


def regressors():
    x, y = curve()
    both = np.stack([y, -2 * y + 1], axis=1)
    yield Case("LinearRegression", linear_model.LinearRegression(), x, y)
    yield Case("LinearRegression, two targets", linear_model.LinearRegression(), x, both)
    yield Case("Ridge, double", linear_model.Ridge(), x.astype(np.float64), y)
    yield Case("Lasso", linear_model.Lasso(0.1), x, y)
    yield Case("ElasticNet", linear_model.ElasticNet(0.1), x, y)
    yield Case("SGDRegressor", linear_model.SGDRegressor(random_state=0), x, y)
    yield Case("PoissonRegressor", linear_model.PoissonRegressor(), x, np.exp(y / 4))
    yield Case("LinearSVR", svm.LinearSVR(random_state=0), x, y)
    for kernel in ("rbf", "poly", "linear", "sigmoid"):
        yield Case(f"SVR, {kernel}", svm.SVR(kernel=kernel), x, y, tolerance=1e-3)
    yield Case("NuSVR", svm.NuSVR(), x, y, tolerance=1e-3)
    yield Case("DecisionTreeRegressor", tree.DecisionTreeRegressor(random_state=0), x, y)
    yield Case("RandomForestRegressor", ensemble.RandomForestRegressor(25, random_state=0), x, y)
    yield Case("RandomForestRegressor, two targets", ensemble.RandomForestRegressor(10, random_state=0), x, both)
    yield Case("ExtraTreesRegressor", ensemble.ExtraTreesRegressor(25, random_state=0), x, y)
    yield Case("GradientBoostingRegressor", ensemble.GradientBoostingRegressor(n_estimators=30, random_state=0), x, y)
    yield Case("HistGradientBoostingRegressor", ensemble.HistGradientBoostingRegressor(max_iter=30), with_gaps(x), y)
    yield Case("AdaBoostRegressor", ensemble.AdaBoostRegressor(n_estimators=10, random_state=0), x, y)
    yield Case("BaggingRegressor", ensemble.BaggingRegressor(n_estimators=5, random_state=0), x, y)
    yield Case("KNeighborsRegressor", neighbors.KNeighborsRegressor(), x, y)
    yield Case("MLPRegressor", neural_network.MLPRegressor(hidden_layer_sizes=(16,), max_iter=200, random_state=0), x, y)
    yield Case("GaussianProcessRegressor", gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF(2.0), alpha=0.1),
               x.astype(np.float64), y)
    yield Case("PLSRegression", cross_decomposition.PLSRegression(2), x, both)
    yield Case("Pipeline of scaler, polynomials and ridge", pipeline.make_pipeline(preprocessing.StandardScaler(),
               preprocessing.PolynomialFeatures(2), linear_model.Ridge()), x, y)


def transformers():
    x, y = curve()
    _, three = flowers()
    names = np.array([["red"], ["green"], ["blue"], ["green"], ["red"], ["blue"]], dtype=object)
    yield Case("StandardScaler", preprocessing.StandardScaler(), x)
    yield Case("StandardScaler, double", preprocessing.StandardScaler(), x.astype(np.float64))
    yield Case("MinMaxScaler", preprocessing.MinMaxScaler(clip=True), x)
    yield Case("MaxAbsScaler", preprocessing.MaxAbsScaler(), x)
    yield Case("RobustScaler", preprocessing.RobustScaler(), x)
    for norm in ("l1", "l2"):
        yield Case(f"Normalizer, {norm}", preprocessing.Normalizer(norm), x)
    yield Case("Binarizer", preprocessing.Binarizer(threshold=0.5), x)
    yield Case("SimpleImputer", impute.SimpleImputer(), with_gaps(x))
    yield Case("SimpleImputer, most frequent", impute.SimpleImputer(strategy="most_frequent"), with_gaps(np.round(x)))
    yield Case("KNNImputer", impute.KNNImputer(), with_gaps(x))
    yield Case("OneHotEncoder, strings", preprocessing.OneHotEncoder(), np.tile(names, (3, 1)))
    yield Case("OneHotEncoder, integers", preprocessing.OneHotEncoder(), (np.abs(x) * 2).astype(np.int64) % 3)
    yield Case("OneHotEncoder, unknown", preprocessing.OneHotEncoder(handle_unknown="ignore"), np.concatenate([np.tile(names, (3, 1)),
               names, [["white"]] * 2]))
    yield Case("OrdinalEncoder", preprocessing.OrdinalEncoder(), np.tile(names, (3, 1)))
    yield Case("LabelEncoder", preprocessing.LabelEncoder(), np.tile(names, (3, 1)).ravel(), inputs=[("X", StringTensorType([None]))])
    yield Case("LabelBinarizer", preprocessing.LabelBinarizer(), three.reshape(-1, 1))
    yield Case("KBinsDiscretizer", preprocessing.KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"), x)
    yield Case("KBinsDiscretizer, ordinal", preprocessing.KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), x)
    yield Case("PolynomialFeatures", preprocessing.PolynomialFeatures(3), x)
    yield Case("PowerTransformer", preprocessing.PowerTransformer(), x, tolerance=1e-3)
    yield Case("PCA", decomposition.PCA(2), x)
    yield Case("IncrementalPCA", decomposition.IncrementalPCA(2), x)
    yield Case("TruncatedSVD", decomposition.TruncatedSVD(2, random_state=0), x)
    yield Case("KernelPCA", decomposition.KernelPCA(2, kernel="rbf"), x, tolerance=1e-3)
    yield Case("SelectKBest", feature_selection.SelectKBest(feature_selection.f_regression, k=2), x, y)
    yield Case("VarianceThreshold", feature_selection.VarianceThreshold(0.01), x)
    yield Case("GaussianRandomProjection", random_projection.GaussianRandomProjection(3, random_state=0), x)
    yield Case("DictVectorizer", feature_extraction.DictVectorizer(sparse=False),
               [{"a": 1.0, "b": 2.5}, {"c": -1.0}, {"b": 3.5, "c": 4.0, "new": 1.0}],
               inputs=[("X", DictionaryType(StringTensorType([1]), FloatTensorType([1])))])
    yield Case("FeatureHasher", feature_extraction.FeatureHasher(8, input_type="string"), np.tile(names, (3, 1)))


def mixed():
    random = np.random.default_rng(4)
    words = np.array(["red", "green", "blue"])
    columns = [random.normal(size=120).round(3) for _ in range(3)] + [words[random.integers(0, 3, 120)], words[random.integers(0, 2, 120)]]
    table = np.empty((120, 5), dtype=object)
    for i, column in enumerate(columns):
        table[:, i] = np.float32(column) if i < 3 else column
    label = np.array([row[0] > 0 or row[3] == "red" for row in table]).astype(np.int64)
    inputs = [("numbers", FloatTensorType([None, 3])), ("words", StringTensorType([None, 2]))]
    both = compose.ColumnTransformer([("scaled", preprocessing.StandardScaler(), [0, 1, 2]),
                                      ("encoded", preprocessing.OneHotEncoder(), [3, 4])])
    yield Case("ColumnTransformer", both, table, inputs=inputs)
    yield Case("Pipeline of ColumnTransformer and LogisticRegression", pipeline.make_pipeline(both, linear_model.LogisticRegression()),
               table, label, inputs=inputs)
    yield Case("Pipeline of ColumnTransformer and RandomForestClassifier", pipeline.make_pipeline(sklearn.base.clone(both),
               ensemble.RandomForestClassifier(10, random_state=0)), table, label, inputs=inputs)
    texts = np.array(["the quick fox", "a lazy dog and a fox", "dogs and foxes", "the end", "quick dog", "fox dog end"] * 2, dtype=object)
    words_of = lambda model, rows: [model.transform(np.asarray(rows).ravel()).toarray()]
    yield Case("TfidfVectorizer", feature_extraction.text.TfidfVectorizer(), texts, inputs=[("X", StringTensorType([None]))],
               outputs=words_of)
    yield Case("CountVectorizer", feature_extraction.text.CountVectorizer(ngram_range=(1, 2)), texts, inputs=[("X",
               StringTensorType([None]))], outputs=words_of)


def others():
    x, _ = curve()
    yield Case("KMeans", cluster.KMeans(3, n_init=3, random_state=0), x)
    yield Case("MiniBatchKMeans", cluster.MiniBatchKMeans(3, n_init=3, random_state=0), x)
    yield Case("IsolationForest", ensemble.IsolationForest(n_estimators=20, random_state=0), x, tolerance=1e-3)
    yield Case("OneClassSVM", svm.OneClassSVM(nu=0.2), x, tolerance=1e-3)
    yield Case("LocalOutlierFactor", neighbors.LocalOutlierFactor(novelty=True), x, tolerance=1e-3)
    yield Case("GaussianMixture", mixture.GaussianMixture(2, random_state=0), x, outputs=lambda model, rows: [model.predict(rows),
               model.predict_proba(rows)], tolerance=1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--only", help="names of cases, or beginnings of them")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else [""]
    tally = Tally()
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(arguments.tool, folder)
        for cases in (classifiers, regressors, transformers, mixed, others):
            for case in cases():
                if not any(case.name.startswith(name) for name in only):
                    continue
                model = case.fitted()
                for zipmap in variants(case, model):
                    check_variant(engine, tally, case, model, zipmap)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
