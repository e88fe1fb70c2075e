// Operators that older opsets lack, made of those that they have. The formulas are those of the specification.
#include <fmt/format.h>

#include <limits>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

// The attribute of the node as a value for expand, with the operator's default.
Attribute taken(Rewriter& rewriter, const char* name, float fallback) { return Attribute::of(name, rewriter.take_float(name, fallback)); }

std::vector<int64_t> from_axis(Rewriter& rewriter, int64_t axis) {
  const int64_t rank = rewriter.need_rank(rewriter.input(0));
  std::vector<int64_t> axes;
  for (int64_t i = rewriter.front_axis(axis, rank); i < rank; ++i) axes.push_back(i);
  return axes;
}

// The type in which a norm is computed, and the input cast to it.
struct Stash {
  DType narrow, wide;
};
Stash stash_of(Rewriter& rewriter) {
  const auto wide = static_cast<DType>(rewriter.take_int("stash_type", 1));
  const DType narrow = rewriter.need_dtype(rewriter.input(0));
  // What is computed in float64 stays there: to narrow it would lose what the specification's reference keeps.
  return {narrow, narrow == DType::kFloat64 ? DType::kFloat64 : wide};
}
}  // namespace

void hard_swish_14_down(Rewriter& rewriter) {
  expand(rewriter, "(X) => (Y) { h = HardSigmoid <alpha = 0.16666667, beta = 0.5> (X) Y = Mul (X, h) }");
}

void mish_18_down(Rewriter& rewriter) { expand(rewriter, "(X) => (Y) { s = Softplus (X) t = Tanh (s) Y = Mul (X, t) }"); }

void swish_24_down(Rewriter& rewriter) {
  expand(rewriter, "(X) => (Y) { alpha = Like <v = @alpha> (X) scaled = Mul (alpha, X) s = Sigmoid (scaled) Y = Mul (X, s) }",
         {taken(rewriter, "alpha", 1)});
}

// max(0, x) + min(0, alpha * (exp(x / alpha) - 1)), whose second part is Elu of x / alpha with that alpha.
void celu_12_down(Rewriter& rewriter) {
  expand(rewriter, R"((X) => (Y) {
    alpha = Like <v = @alpha> (X)  divided = Div (X, alpha)  elu = Elu <alpha = 1.0> (divided)  Y = Mul (alpha, elu) })",
         {taken(rewriter, "alpha", 1)});
}

void gelu_20_down(Rewriter& rewriter) {
  if (rewriter.take_string("approximate", "none") == "tanh") {
    return expand(rewriter, R"((X) => (Y) {
      half = Like <v = 0.5> (X)  one = Like <v = 1.0> (X)  k = Like <v = 0.79788456> (X)  c = Like <v = 0.044715> (X)
      square = Mul (X, X)  cube = Mul (square, X)  bent = Mul (c, cube)  inner = Add (X, bent)  scaled = Mul (k, inner)
      t = Tanh (scaled)  u = Add (one, t)  v = Mul (X, u)  Y = Mul (half, v) })");
  }
  expand(rewriter, R"((X) => (Y) {
    half = Like <v = 0.5> (X)  one = Like <v = 1.0> (X)  root = Like <v = 1.4142135> (X)
    scaled = Div (X, root)  e = Erf (scaled)  u = Add (one, e)  v = Mul (X, u)  Y = Mul (half, v) })");
}

void greater_or_equal_12_down(Rewriter& rewriter) {
  expand(rewriter, "(A, B) => (C) { more = Greater (A, B) alike = Equal (A, B) C = Or (more, alike) }");
}

void less_or_equal_12_down(Rewriter& rewriter) {
  expand(rewriter, "(A, B) => (C) { less = Less (A, B) alike = Equal (A, B) C = Or (less, alike) }");
}

void thresholded_relu_10_down(Rewriter& rewriter) {
  expand(rewriter,
         "(X) => (Y) { alpha = Like <v = @alpha> (X) zero = Like <v = 0.0> (X) above = Greater (X, alpha) Y = Where (above, X, zero) }",
         {taken(rewriter, "alpha", 1)});
}

void sign_9_down(Rewriter& rewriter) {
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  if (!is_floating_point(dtype)) rewriter.refuse("integers are not compared there");
  expand(rewriter, R"((X) => (Y) {
    zero = Like <v = 0.0> (X)  more = Greater (X, zero)  less = Less (X, zero)
    plus = Cast <to = @to> (more)  minus = Cast <to = @to> (less)  Y = Sub (plus, minus) })",
         {Attribute::of("to", static_cast<int64_t>(dtype))});
}

// A number is less than 1 or greater than 0.
void is_nan_9_down(Rewriter& rewriter) {
  expand(rewriter, R"((X) => (Y) {
    zero = Like <v = 0.0> (X)  one = Like <v = 1.0> (X)  less = Less (X, one)  more = Greater (X, zero)
    number = Or (less, more)  Y = Not (number) })");
}

void is_inf_10_down(Rewriter& rewriter) {
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) rewriter.refuse("its input is neither float nor double");
  const bool positive = rewriter.take_int("detect_positive", 1) != 0, negative = rewriter.take_int("detect_negative", 1) != 0;
  const double largest =
      dtype == DType::kFloat32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
  const std::string x = rewriter.input(0);
  // NaN is neither greater nor less: where nothing is asked for, a comparison of x with itself is never true.
  const std::string above = positive ? rewriter.emit("Greater", {x, rewriter.constant_value(Tensor::full({}, largest, dtype))})
                                     : rewriter.emit("Greater", {x, x});
  const std::string below =
      negative ? rewriter.emit("Less", {x, rewriter.constant_value(Tensor::full({}, -largest, dtype))}) : rewriter.emit("Less", {x, x});
  rewriter.emit_as("Or", {above, below}, {rewriter.output(0)});
  rewriter.drop();
}

void mean_variance_9_down(Rewriter& rewriter) {
  const std::vector<int64_t> axes = rewriter.take_ints("axes").value_or(std::vector<int64_t>{0, 2, 3});
  expand(rewriter, R"((X) => (Y) {
    epsilon = Like <v = 0.000000001> (X)
    mean = ReduceMean <axes = @axes> (X)  mean_square = Mul (mean, mean)
    square = Mul (X, X)  square_mean = ReduceMean <axes = @axes> (square)  variance = Sub (square_mean, mean_square)
    deviation = Sqrt (variance)  safe = Add (deviation, epsilon)  centred = Sub (X, mean)  Y = Div (centred, safe) })",
         {Attribute::of("axes", axes)});
}

void layer_norm_17_down(Rewriter& rewriter) {
  const auto [narrow, wide] = stash_of(rewriter);
  const Attributes values = {Attribute::of("axes", from_axis(rewriter, rewriter.take_int("axis", -1))), taken(rewriter, "epsilon", 1e-5F),
                             Attribute::of("wide", static_cast<int64_t>(wide)), Attribute::of("narrow", static_cast<int64_t>(narrow))};
  const bool biased = rewriter.has_input(2);
  rewriter.node.output.resize(3);
  const std::string start = R"((X, scale, bias) => (Y, mean, inverse) {
    wide = Cast <to = @wide> (X)  epsilon32 = Float <v = @epsilon> ()  epsilon = Cast <to = @wide> (epsilon32)
    mean = ReduceMean <axes = @axes> (wide)  centred = Sub (wide, mean)  square = Mul (centred, centred)
    variance = ReduceMean <axes = @axes> (square)  safe = Add (variance, epsilon)  deviation = Sqrt (safe)
    inverse = Reciprocal (deviation)  normal = Mul (centred, inverse)  back = Cast <to = @narrow> (normal) )";
  expand(rewriter, start + (biased ? "scaled = Mul (back, scale)  Y = Add (scaled, bias) }" : "Y = Mul (back, scale) }"), values);
}

void rms_norm_23_down(Rewriter& rewriter) {
  const auto [narrow, wide] = stash_of(rewriter);
  const Attributes values = {Attribute::of("axes", from_axis(rewriter, rewriter.take_int("axis", -1))), taken(rewriter, "epsilon", 1e-5F),
                             Attribute::of("wide", static_cast<int64_t>(wide)), Attribute::of("narrow", static_cast<int64_t>(narrow))};
  expand(rewriter, R"((X, scale) => (Y) {
    wide = Cast <to = @wide> (X)  epsilon32 = Float <v = @epsilon> ()  epsilon = Cast <to = @wide> (epsilon32)  axes = Ints <v = @axes> ()
    square = Mul (wide, wide)  mean = ReduceMean (square, axes)  safe = Add (mean, epsilon)  root = Sqrt (safe)
    normal = Div (wide, root)  back = Cast <to = @narrow> (normal)  Y = Mul (back, scale) })",
         values);
}

// A cosine window: a0 - a1 cos(t) + a2 cos(2t), where t goes around once.
void cosine_window(Rewriter& rewriter, float a0, float a1, float a2) {
  const bool periodic = rewriter.take_int("periodic", 1) != 0;
  const Attributes values = {Attribute::of("a0", a0), Attribute::of("a1", a1), Attribute::of("a2", a2),
                             Attribute::of("to", rewriter.take_int("output_datatype", 1)),
                             Attribute::of("shorter", periodic ? 0.0F : 1.0F)};
  expand(rewriter, R"((size) => (window) {
    a0 = Float <v = @a0> ()  a1 = Float <v = @a1> ()  a2 = Float <v = @a2> ()  shorter = Float <v = @shorter> ()
    zero = Float <v = 0.0> ()  one = Float <v = 1.0> ()  two = Float <v = 2.0> ()  turn = Float <v = 6.2831855> ()
    count = Cast <to = 1> (size)  period = Sub (count, shorter)  step = Div (turn, period)
    steps = Range (zero, count, one)  t = Mul (steps, step)  t2 = Mul (t, two)
    c1 = Cos (t)  c2 = Cos (t2)  p1 = Mul (a1, c1)  p2 = Mul (a2, c2)  d = Sub (a0, p1)  w = Add (d, p2)
    window = Cast <to = @to> (w) })",
         values);
}

void hann_17_down(Rewriter& rewriter) { cosine_window(rewriter, 0.5F, 0.5F, 0); }
void hamming_17_down(Rewriter& rewriter) { cosine_window(rewriter, 25.0F / 46.0F, 1.0F - 25.0F / 46.0F, 0); }
void blackman_17_down(Rewriter& rewriter) { cosine_window(rewriter, 0.42F, 0.5F, 0.08F); }

void bernoulli_15_down(Rewriter& rewriter) {
  const DType input = rewriter.need_dtype(rewriter.input(0));
  Attributes values = {Attribute::of("dtype", static_cast<int64_t>(input)),
                       Attribute::of("to", rewriter.take_int("dtype", static_cast<int64_t>(input)))};
  if (const Attribute* seed = rewriter.attribute("seed")) values.push_back(*seed);
  expand(rewriter, R"((p) => (y) {
    random = RandomUniformLike <dtype = @dtype, seed = @seed> (p)  hit = Less (random, p)  y = Cast <to = @to> (hit) })",
         values);
}

// Keeps one triangle: a mask of rows and columns, counted by the shape. k shifts the diagonal.
void trilu_14_down(Rewriter& rewriter) {
  const bool is_upper = rewriter.take_int("upper", 1) != 0;
  if (rewriter.need_dtype(rewriter.input(0)) == DType::kString) rewriter.refuse("its input is strings");
  if (!rewriter.has_input(1)) rewriter.set_input(1, rewriter.constant_value(Tensor::scalar(int64_t{0})));
  const std::string start = R"((X, k) => (Y) {
    first = Constant <value = int64 {0}> ()  unit = Constant <value = int64 {1}> ()  one = Ints <v = [1]> ()  zero = Like <v = 0.0> (X)
    last = Ints <v = [-1]> ()  before = Ints <v = [-2]> ()  scalar = Ints <v: ints = []> ()
    shape = Shape (X)  width1 = Gather (shape, last)  height1 = Gather (shape, before)
    width = Reshape (width1, scalar)  height = Reshape (height1, scalar)  offset = Reshape (k, scalar)
    columns = Range (first, width, unit)  rows0 = Range (first, height, unit)  rows1 = Add (rows0, offset)
    rows = Unsqueeze (rows1, one) )";
  expand(rewriter, start + (is_upper ? "cut = Less (columns, rows)" : "cut = Greater (columns, rows)") + " Y = Where (cut, zero, X) }");
}

}  // namespace sardonyx::convert
