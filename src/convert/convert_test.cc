// Each adapter on a small graph: what it makes, node by node, or how it refuses. What the result computes is the matter of the
// differential suite.
#include "sardonyx/convert.h"

#include <gmock/gmock.h>

#include "core/expect_error.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

struct Case {
  const char* name;
  int from, to;
  const char* graph;
  const char* expected;  // nodes and initializers, a line each; "! " and the message of an error
};

constexpr Case kCases[] = {
    {"unchanged", 13, 7, R"(g (float[N] x) => (float[N] y) { y = Tanh (x) })", R"(y = Tanh (x))"},
    {"softmax_flattened", 11, 13, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = Softmax <axis = 1> (x) })",
     R"(y_Shape = Shape (x)
y_Flatten = Flatten <axis: int = 1> (x)
y_Softmax = Softmax <axis: int = -1> (y_Flatten)
y = Reshape (y_Softmax, y_Shape))"},
    {"softmax_last", 11, 13, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = LogSoftmax <axis = 2> (x) })",
     R"(y = LogSoftmax <axis: int = -1> (x))"},
    {"softmax_transposed", 13, 11, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = Hardmax <axis = 1> (x) })",
     R"(y_Transpose = Transpose <perm: ints = [0, 2, 1]> (x)
y_Hardmax = Hardmax <axis: int = 2> (y_Transpose)
y = Transpose <perm: ints = [0, 2, 1]> (y_Hardmax))"},
    {"scatter_without_reduction", 16, 15,
     R"(g (float[3] x, int64[1] i, float[1] u) => (float[3] y) { y = ScatterElements <reduction = "none"> (x, i, u) })",
     R"(y = ScatterElements (x, i, u))"},
    {"single_element_down", 8, 6, R"(g (float[5] a, float[1] b) => (float[5] y) { y = Add (a, b) })",
     R"(y = Add <broadcast: int = 1> (a, b))"},
    {"squeeze_up", 12, 13, R"(g (float[1,3] x) => (float[3] y) { y = Squeeze <axes = [0]> (x) })",
     R"(y_Constant = Constant <value: tensor = int64[1] {0}> ()
y = Squeeze (x, y_Constant))"},
    {"unsqueeze_down", 13, 10, R"(g (float[3] x) => (float[3,1] y) <int64[1] a = {-1}> { y = Unsqueeze (x, a) })",
     R"(y = Unsqueeze <axes: ints = [1]> (x))"},
    {"reduce_up", 13, 18, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = ReduceMean <axes = [1], keepdims = 1> (x) })",
     R"(y_Constant = Constant <value: tensor = int64[1] {1}> ()
y = ReduceMean <keepdims: int = 1> (x, y_Constant))"},
    {"reduce_sum_up", 11, 13, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = ReduceSum <axes = [1]> (x) })",
     R"(y_Constant = Constant <value: tensor = int64[1] {1}> ()
y = ReduceSum (x, y_Constant))"},
    {"reduce_noop_down", 18, 13, R"(g (float[2,3,4] x) => (float[2,3,4] y) { y = ReduceSumSquare <noop_with_empty_axes = 1> (x) })",
     R"(y = Mul (x, x))"},
    {"reduce_not_constant", 18, 13, R"(g (float[2] x, int64[1] a) => (float[] y) { y = ReduceMax (x, a) })",
     R"(! node with output 'y' (ReduceMax): not to be expressed in opset 17: its input 'a' is not constant, and the older operator takes it as an attribute; the nearest opset that can is 18)"},
    {"replaceable_default", 18, 13, R"(g (float[2] x, int64[1] a) => (float[] y) <int64[1] a = {0}> { y = ReduceMax (x, a) })",
     R"(! node with output 'y' (ReduceMax): not to be expressed in opset 17: its input 'a' is not constant, and the older operator takes it as an attribute; the nearest opset that can is 18)"},
    {"split_uneven", 18, 13, R"(g (float[7] x) => (float[4] a, float[3] b) { a, b = Split <num_outputs = 2> (x) })",
     R"(a_Constant = Constant <value: tensor = int64[2] {4, 3}> ()
a, b = Split (x, a_Constant))"},
    {"split_dynamic", 18, 13, R"(g (float[N] x) => (float[M] a, float[K] b) { a, b = Split <num_outputs = 2> (x) })",
     R"(a_Shape = Shape (x)
a_Constant = Constant <value: tensor = int64[1] {0}> ()
a_Gather = Gather (a_Shape, a_Constant)
a_Constant_1 = Constant <value: tensor = int64[1] {1}> ()
a_Add = Add (a_Gather, a_Constant_1)
a_Constant_2 = Constant <value: tensor = int64[1] {2}> ()
a_Div = Div (a_Add, a_Constant_2)
a_Constant_3 = Constant <value: tensor = int64[1] {1}> ()
a_Mul = Mul (a_Div, a_Constant_3)
a_Sub = Sub (a_Gather, a_Mul)
a_Concat = Concat <axis: int = 0> (a_Div, a_Sub)
a, b = Split (x, a_Concat))"},
    {"split_up", 11, 18, R"(g (float[4] x) => (float[2] a, float[2] b) { a, b = Split (x) })",
     R"(a, b = Split <num_outputs: int = 2> (x))"},
    {"slice_down", 13, 9,
     R"(g (float[5] x) => (float[2] y) <int64[1] s = {1}, int64[1] e = {3}, int64[1] a = {-1}, int64[1] t = {1}> { y = Slice (x, s, e, a, t) })",
     R"(y = Slice <starts: ints = [1], ends: ints = [3], axes: ints = [0]> (x))"},
    {"slice_steps", 13, 9,
     R"(g (float[5] x) => (float[2] y) <int64[1] s = {1}, int64[1] e = {3}, int64[1] a = {0}, int64[1] t = {2}> { y = Slice (x, s, e, a, t) })",
     R"(! node with output 'y' (Slice): not to be expressed in opset 9: its steps are not all 1; the nearest opset that can is 10)"},
    {"top_k_up", 9, 11, R"(g (float[5] x) => (float[2] v, int64[2] i) { v, i = TopK <k = 2> (x) })",
     R"(v_Constant = Constant <value: tensor = int64[1] {2}> ()
v, i = TopK (x, v_Constant))"},
    {"top_k_least", 11, 9, R"(g (float[5] x) => (float[2] v, int64[2] i) <int64[1] k = {2}> { v, i = TopK <largest = 0> (x, k) })",
     R"(v_Neg = Neg (x)
v_TopK, i = TopK <k: int = 2> (v_Neg)
v = Neg (v_TopK))"},
    {"clip_up", 6, 13, R"(g (double[5] x) => (double[5] y) { y = Clip <max = 6.0> (x) })",
     R"(y_Constant = Constant <value: tensor = double {-3.4028234663852886e+38}> ()
y_Constant_1 = Constant <value: tensor = double {6}> ()
y = Clip (x, y_Constant, y_Constant_1))"},
    {"clip_old", 1, 7, R"(g (float[5] x) => (float[5] y) { y = Clip <min = 0.0> (x) })",
     R"(y = Clip <min: float = 0.0, max: float = inf> (x))"},
    {"clip_down", 13, 6, R"(g (float[5] x) => (float[5] y) <float lo = {0}> { y = Clip (x, lo) })",
     R"(y = Clip <min: float = 0.0, max: float = inf> (x))"},
    {"clip_variable", 13, 10, R"(g (float[5] x, float lo) => (float[5] y) { y = Clip (x, lo) })", R"(y = Max (x, lo))"},
    {"clip_int64", 13, 11, R"(g (int64[5] x, int64 lo, int64 hi) => (int64[5] y) { y = Clip (x, lo, hi) })",
     R"(y_Less = Less (x, lo)
y_Where = Where (y_Less, lo, x)
y_Less_1 = Less (hi, y_Where)
y_Where_1 = Where (y_Less_1, hi, y_Where)
y = Identity (y_Where_1))"},
    {"max_int64", 12, 11, R"(g (int64[5] x, int64[5] z) => (int64[5] y) { y = Max (x, z) })",
     R"(y_Greater = Greater (x, z)
y_Where = Where (y_Greater, x, z)
y = Identity (y_Where))"},
    {"relu_int", 14, 11, R"(g (int8[5] x) => (int8[5] y) { y = Relu (x) })",
     R"(y_Constant = Constant <value: tensor = int8 {0}> ()
y_Greater = Greater (x, y_Constant)
y_Where = Where (y_Greater, x, y_Constant)
y = Identity (y_Where))"},
    {"pad_up", 9, 11, R"(g (float[3] x) => (float[5] y) { y = Pad <pads = [1, 1], value = 2.0> (x) })",
     R"(y_Constant = Constant <value: tensor = int64[2] {1, 1}> ()
y_Constant_1 = Constant <value: tensor = float {2}> ()
y = Pad (x, y_Constant, y_Constant_1))"},
    {"pad_axes_down", 18, 9, R"(g (float[2,3] x) => (float[2,5] y) <int64[2] p = {1, 1}, int64[1] a = {-1}> { y = Pad (x, p, , a) })",
     R"(y = Pad <pads: ints = [0, 1, 0, 1]> (x))"},
    {"pad_wrap", 19, 18, R"(g (float[3] x, int64[2] p) => (float[5] y) { y = Pad <mode = "wrap"> (x, p) })",
     R"(! node with output 'y' (Pad): not to be expressed in opset 18: its mode is 'wrap'; the nearest opset that can is 19)"},
    {"reshape_attribute", 4, 5, R"(g (float[6] x) => (float[2,3] y) { y = Reshape <shape = [2, 3]> (x) })",
     R"(y = Reshape (x, y_Constant)
int64[2] y_Constant {2, 3})"},
    {"allowzero", 14, 13, R"(g (float[0,3] x) => (float[0] y) <int64[1] s = {0}> { y = Reshape <allowzero = 1> (x, s) })",
     R"(! node with output 'y' (Reshape): not to be expressed in opset 13: allowzero is set, and its shape may hold 0; the nearest opset that can is 14)"},
    {"broadcast_axis", 6, 7, R"(g (float[2,3,4] x, float[3] b) => (float[2,3,4] y) { y = Add <broadcast = 1, axis = 1> (x, b) })",
     R"(y_Unsqueeze = Unsqueeze <axes: ints = [1]> (b)
y = Add (x, y_Unsqueeze))"},
    {"broadcast_down", 7, 6, R"(g (float[4] b, float[2,4] x) => (float[2,4] y) { y = Add (b, x) })",
     R"(y = Add <broadcast: int = 1> (x, b))"},
    {"gemm_old", 6, 11, R"(g (float[2,3] a, float[3,4] b, float[4] c) => (float[2,4] y) { y = Gemm <broadcast = 1> (a, b, c) })",
     R"(y = Gemm (a, b, c))"},
    {"cast_names", 5, 6, R"(g (float[2] x) => (int64[2] y) { y = Cast <to = "INT64"> (x) })", R"(y = Cast <to: int = 7> (x))"},
    {"constant_of_shape", 9, 8, R"(g (int64[2] s) => (int64[M,N] y) { y = ConstantOfShape <value = int64[1] {7}> (s) })",
     R"(y = Expand (y_Constant, s)
int64 y_Constant {7})"},
    {"constant_int", 9, 8, R"(g (int64[2] x) => (int64[2] y) { c = Constant <value = int64[2] {7, 8}> ()  y = Add (x, c) })",
     R"(y = Add (x, c)
int64[2] c {7, 8})"},
    {"constant_value_ints", 12, 11, R"(g () => (int64[2] y) { y = Constant <value_ints = [1, 2]> () })",
     R"(y = Constant <value: tensor = int64[2] {1, 2}> ())"},
    {"scatter", 10, 11, R"(g (float[3] x, int64[1] i, float[1] u) => (float[3] y) { y = Scatter (x, i, u) })",
     R"(y = ScatterElements (x, i, u))"},
    {"resize_10", 10, 13,
     R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[4] s = {1, 1, 2, 2}> { y = Resize <mode = "nearest"> (x, s) })",
     R"(y_Constant = Constant <value: tensor = float[0] {}> ()
y = Resize <mode: string = "nearest", coordinate_transformation_mode: string = "asymmetric", nearest_mode: string = "floor"> (x, y_Constant, s)
float[4] s {1, 1, 2, 2})"},
    {"upsample_up", 7, 11, R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y) { y = Upsample <scales = [1.0, 1.0, 2.0, 2.0]> (x) })",
     R"(y_Constant = Constant <value: tensor = float[4] {1, 1, 2, 2}> ()
y_Constant_1 = Constant <value: tensor = float[0] {}> ()
y = Resize <coordinate_transformation_mode: string = "asymmetric", nearest_mode: string = "floor"> (x, y_Constant_1, y_Constant))"},
    {"resize_to_upsample", 13, 7, R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[4] s = {1, 1, 2, 2}> { y = Resize (x, , s) })",
     R"(y = Upsample <mode: string = "nearest", scales: floats = [1, 1, 2, 2]> (x))"},
    {"resize_axes", 18, 13, R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[2] s = {2, 2}> { y = Resize <axes = [2, 3]> (x, , s) })",
     R"(y_Constant_1 = Constant <value: tensor = float[4] {1, 1, 2, 2}> ()
y = Resize (x, "", y_Constant_1))"},
    {"resize_cubic", 13, 10,
     R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[4] s = {1, 1, 2, 2}> { y = Resize <mode = "cubic"> (x, , s) })",
     R"(! node with output 'y' (Resize): not to be expressed in opset 10: mode 'cubic' with coordinate_transformation_mode 'half_pixel' and nearest_mode 'round_prefer_floor' is not known there; the nearest opset that can is 11)"},
    {"scan_8", 8, 9,
     R"(g (float[1,1] h, float[1,3,1] x) => (float[1,1] a, float[1,3,1] b) { a, b = Scan <num_scan_inputs = 1, body: graph = c (float[1] i, float[1] j) => (float[1] k, float[1] l) { k = Add (i, j)  l = Identity (k) }> (, h, x) })",
     R"(a, b = Scan (h, x) <body: graph = batch (a_sample, a_sample_1) => (a_sample_2, a_sample_3) {
   a_sample_2, a_sample_3 = Scan (a_sample, a_sample_1) <num_scan_inputs: int = 1, body: graph = c (float[1] i, float[1] j) => (float[1] k, float[1] l) {
      k = Add (i, j)
      l = Identity (k)
   }>
}, num_scan_inputs: int = 2>)"},
    {"grid_sample", 16, 20, R"(g (float[1,1,2,2] x, float[1,2,2,2] p) => (float[1,1,2,2] y) { y = GridSample <mode = "bicubic"> (x, p) })",
     R"(y = GridSample <mode: string = "cubic"> (x, p))"},
    {"group_norm_up", 20, 21,
     R"(g (float[1,4,2] x, float[2] s, float[2] b) => (float[1,4,2] y) { y = GroupNormalization <num_groups = 2> (x, s, b) })",
     R"(y_Shape = Shape <start: int = 1, end: int = 2> (x)
y_Constant = Constant <value: tensor = int64[1] {2}> ()
y_Div = Div (y_Shape, y_Constant)
y_Constant_1 = Constant <value: tensor = int64[1] {2}> ()
y_Concat = Concat <axis: int = 0> (y_Constant_1, y_Div)
y_Constant_2 = Constant <value: tensor = int64[2] {2, 1}> ()
y_Reshape = Reshape (s, y_Constant_2)
y_Expand = Expand (y_Reshape, y_Concat)
y_Constant_3 = Constant <value: tensor = int64[1] {-1}> ()
y_Reshape_1 = Reshape (y_Expand, y_Constant_3)
y_Constant_4 = Constant <value: tensor = int64[2] {2, 1}> ()
y_Reshape_2 = Reshape (b, y_Constant_4)
y_Expand_1 = Expand (y_Reshape_2, y_Concat)
y_Constant_5 = Constant <value: tensor = int64[1] {-1}> ()
y_Reshape_3 = Reshape (y_Expand_1, y_Constant_5)
y = GroupNormalization <num_groups: int = 2> (x, y_Reshape_1, y_Reshape_3))"},
    {"group_norm_down", 21, 17,
     R"(g (float[1,4,2] x, float[4] s, float[4] b) => (float[1,4,2] y) { y = GroupNormalization <num_groups = 2> (x, s, b) })",
     R"(y_Constant = Constant <value: tensor = float[2] {1, 1}> ()
y_Constant_1 = Constant <value: tensor = float[2] {0, 0}> ()
y_Constant_2 = Constant <value: tensor = int64[2] {0, 2}> ()
y_Constant_3 = Constant <value: tensor = int64[3] {0, 2, -1}> ()
y_shape = Shape (x)
y_groups = Reshape (x, y_Constant_3)
y_normal = InstanceNormalization <epsilon: float = 1e-05> (y_groups, y_Constant, y_Constant_1)
y_back = Cast <to: int = 1> (y_normal)
y_whole = Reshape (y_back, y_shape)
y_scale_of = Unsqueeze (s, y_Constant_2)
y_bias_of = Unsqueeze (b, y_Constant_2)
y_scaled = Mul (y_whole, y_scale_of)
y = Add (y_scaled, y_bias_of))"},
    {"dft", 17, 20, R"(g (float[1,4,2] x) => (float[1,4,2] y) { y = DFT (x) })",
     R"(y_Constant = Constant <value: tensor = int64 {1}> ()
y = DFT (x, "", y_Constant))"},
    {"batch_norm_training", 13, 14,
     R"(g (float[2,3] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float[2,3] y) { y, mo, vo = BatchNormalization (x, s, b, m, v) })",
     R"(y, mo, vo = BatchNormalization <training_mode: int = 1> (x, s, b, m, v))"},
    {"batch_norm_spatial", 7, 9,
     R"(g (float[2,3] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float[2,3] y) { y = BatchNormalization <spatial = 0> (x, s, b, m, v) })",
     R"(y_Constant = Constant <value: tensor = float {1e-05}> ()
y_shifted = Sub (x, m)
y_safe = Add (v, y_Constant)
y_deviation = Sqrt (y_safe)
y_normal = Div (y_shifted, y_deviation)
y_scaled = Mul (y_normal, s)
y = Add (y_scaled, b))"},
    {"dropout_up", 10, 13, R"(g (float[3] x) => (float[3] y) { y = Dropout <ratio = 0.25> (x) })",
     R"(y_Constant = Constant <value: tensor = float {0.25}> ()
y = Dropout (x, y_Constant))"},
    {"dropout_training", 13, 11, R"(g (float[3] x) => (float[3] y) <float r = {0.5}, bool t = {1}> { y = Dropout (x, r, t) })",
     R"(! node with output 'y' (Dropout): not to be expressed in opset 11: its training_mode is not constantly false; the nearest opset that can is 12)"},
    {"bfloat16_cast", 22, 21, R"(g (bfloat16[3] x) => (bfloat16[3] y) { y = Elu (x) })",
     R"(y_Cast = Cast <to: int = 1> (x)
y_wide = Elu (y_Cast)
y = Cast <to: int = 16> (y_wide))"},
    {"bfloat16_refused", 13, 12, R"(g (bfloat16[3] x) => (bfloat16[3] y) { y = Relu (x) })",
     R"(! node with output 'y' (Relu): not to be expressed in opset 12: 'x' is tensor(bfloat16), which the operator does not take there; the nearest opset that can is 13)"},
    {"quantize_axis", 13, 12, R"(g (float[2,3] x, float[3] s) => (uint8[2,3] y) { y = QuantizeLinear (x, s) })",
     R"(y_Constant = Constant <value: tensor = uint8 {0}> ()
y_Constant_1 = Constant <value: tensor = int64[2] {1, -1}> ()
y_Reshape = Reshape (s, y_Constant_1)
y_Constant_2 = Constant <value: tensor = int64[2] {1, -1}> ()
y_Reshape_1 = Reshape (y_Constant, y_Constant_2)
y_Constant_3 = Constant <value: tensor = float {0}> ()
y_Constant_4 = Constant <value: tensor = float {255}> ()
y_zero_wide = Cast <to: int = 1> (y_Constant)
y_divided = Div (x, y_Reshape)
y_rounded = Round (y_divided)
y_shifted = Add (y_rounded, y_zero_wide)
y_above = Max (y_shifted, y_Constant_3)
y_within = Min (y_above, y_Constant_4)
y = Cast <to: int = 2> (y_within))"},
    {"dequantize_old", 13, 9, R"(g (uint8[2,3] x, float s, uint8 z) => (float[2,3] y) { y = DequantizeLinear (x, s, z) })",
     R"(y_wide = Cast <to: int = 1> (x)
y_zero_wide = Cast <to: int = 1> (z)
y_centred = Sub (y_wide, y_zero_wide)
y = Mul (y_centred, s))"},
    {"lstm_layout", 14, 13,
     R"(g (float[1,2,3] x, float[1,16,3] w, float[1,16,4] r) => (float[1,2,1,4] y) { y = LSTM <hidden_size = 4, layout = 1> (x, w, r) })",
     R"(y_Transpose = Transpose <perm: ints = [1, 0, 2]> (x)
y_sequence_first = LSTM <hidden_size: int = 4> (y_Transpose, w, r)
y = Transpose <perm: ints = [2, 0, 1, 3]> (y_sequence_first))"},
    {"arg_last", 12, 11, R"(g (float[2,3] x) => (int64[2,1] y) { y = ArgMax <axis = 1, select_last_index = 1> (x) })",
     R"(y_Constant = Constant <value: tensor = int64[1] {-1}> ()
y_Constant_1 = Constant <value: tensor = int64[1] {-9223372036854775807}> ()
y_Constant_2 = Constant <value: tensor = int64[1] {1}> ()
y_Constant_3 = Constant <value: tensor = int64[1] {-1}> ()
y_Slice = Slice (x, y_Constant, y_Constant_1, y_Constant_2, y_Constant_3)
y_Shape = Shape (x)
y_Constant_4 = Constant <value: tensor = int64 {1}> ()
y_Gather = Gather (y_Shape, y_Constant_4)
y_Constant_5 = Constant <value: tensor = int64 {1}> ()
y_Sub = Sub (y_Gather, y_Constant_5)
y_ArgMax = ArgMax <axis: int = 1> (y_Slice)
y = Sub (y_Sub, y_ArgMax))"},
    {"shape_slice", 15, 14, R"(g (float[2,3] x) => (int64[1] y) { y = Shape <start = 1> (x) })",
     R"(y_Shape = Shape (x)
y_Constant = Constant <value: tensor = int64[1] {1}> ()
y_Constant_1 = Constant <value: tensor = int64[1] {9223372036854775807}> ()
y_Constant_2 = Constant <value: tensor = int64[1] {0}> ()
y = Slice (y_Shape, y_Constant, y_Constant_1, y_Constant_2))"},
    {"cast_like", 15, 14, R"(g (float[2] x, int64[1] t) => (int64[2] y) { y = CastLike (x, t) })", R"(y = Cast <to: int = 7> (x))"},
    {"gelu", 20, 19, R"(g (float[2] x) => (float[2] y) { y = Gelu (x) })",
     R"(y_Constant = Constant <value: tensor = float {0.5}> ()
y_Constant_1 = Constant <value: tensor = float {1}> ()
y_Constant_2 = Constant <value: tensor = float {1.4142135}> ()
y_scaled = Div (x, y_Constant_2)
y_e = Erf (y_scaled)
y_u = Add (y_Constant_1, y_e)
y_v = Mul (x, y_u)
y = Mul (y_Constant, y_v))"},
    {"layer_norm", 17, 16, R"(g (float[2,3] x, float[3] s, float[3] b) => (float[2,3] y) { y = LayerNormalization (x, s, b) })",
     R"(y_Constant = Constant <value: tensor = float {1e-05}> ()
y_mean = ReduceMean <axes: ints = [1]> (x)
y_centred = Sub (x, y_mean)
y_square = Mul (y_centred, y_centred)
y_variance = ReduceMean <axes: ints = [1]> (y_square)
y_safe = Add (y_variance, y_Constant)
y_deviation = Sqrt (y_safe)
y_inverse = Reciprocal (y_deviation)
y_normal = Mul (y_centred, y_inverse)
y_back = Cast <to: int = 1> (y_normal)
y_scaled = Mul (y_back, s)
y = Add (y_scaled, b))"},
    {"equal_float", 11, 10, R"(g (float[2] a, float[2] b) => (bool[2] y) { y = Equal (a, b) })",
     R"(y_Constant = Constant <value: tensor = float {0}> ()
y_Constant_1 = Constant <value: tensor = float {1}> ()
y_less = Less (a, b)
y_greater = Greater (a, b)
y_differ = Or (y_less, y_greater)
y_alike = Not (y_differ)
y_a1 = Less (a, y_Constant_1)
y_a0 = Greater (a, y_Constant)
y_a = Or (y_a1, y_a0)
y_b1 = Less (b, y_Constant_1)
y_b0 = Greater (b, y_Constant)
y_b = Or (y_b1, y_b0)
y_numbers = And (y_a, y_b)
y = And (y_alike, y_numbers))"},
    {"gather_negative", 11, 10, R"(g (float[5] x, int64[2] i) => (float[2] y) { y = Gather (x, i) })",
     R"(y_Shape = Shape (x)
y_Constant = Constant <value: tensor = int64 {0}> ()
y_Gather = Gather (y_Shape, y_Constant)
y_Mod = Mod (i, y_Gather)
y = Gather (x, y_Mod))"},
    {"crd", 11, 10, R"(g (float[1,8,2,2] x) => (float[1,2,4,4] y) { y = DepthToSpace <blocksize = 2, mode = "CRD"> (x) })",
     R"(y_Transpose = Transpose <perm: ints = [0, 2, 3, 1]> (x)
y_Constant = Constant <value: tensor = int64[5] {0, 0, 0, -1, 4}> ()
y_Reshape = Reshape (y_Transpose, y_Constant)
y_Transpose_1 = Transpose <perm: ints = [0, 1, 2, 4, 3]> (y_Reshape)
y_Constant_1 = Constant <value: tensor = int64[4] {0, 0, 0, -1}> ()
y_Reshape_1 = Reshape (y_Transpose_1, y_Constant_1)
y_Transpose_2 = Transpose <perm: ints = [0, 3, 1, 2]> (y_Reshape_1)
y = DepthToSpace <blocksize: int = 2> (y_Transpose_2))"},
    {"roi_align", 16, 10, R"(g (float[1,1,4,4] x, float[1,4] r, int64[1] b) => (float[1,1,1,1] y) { y = RoiAlign (x, r, b) })",
     R"(! node with output 'y' (RoiAlign): not to be expressed in opset 15: its coordinate_transformation_mode is not 'output_half_pixel'; the nearest opset that can is 16)"},
    {"ceil_mode", 22, 21,
     R"(g (float[1,1,4] x) => (float[1,1,N] y) { y = MaxPool <kernel_shape = [1], strides = [2], pads = [0, 1], ceil_mode = 1> (x) })",
     R"(! node with output 'y' (MaxPool): not to be expressed in opset 21: with ceil_mode, its last window may begin in the padding, which counts in versions before 22 only; the nearest opset that can is 22)"},
    {"trilu", 14, 13, R"(g (float[3,3] x) => (float[3,3] y) { y = Trilu <upper = 0> (x) })",
     R"(y_Constant = Constant <value: tensor = int64 {0}> ()
y_first = Constant <value: tensor = int64 {0}> ()
y_unit = Constant <value: tensor = int64 {1}> ()
y_Constant_1 = Constant <value: tensor = int64[1] {1}> ()
y_Constant_2 = Constant <value: tensor = float {0}> ()
y_Constant_3 = Constant <value: tensor = int64[1] {-1}> ()
y_Constant_4 = Constant <value: tensor = int64[1] {-2}> ()
y_Constant_5 = Constant <value: tensor = int64[0] {}> ()
y_shape = Shape (x)
y_width1 = Gather (y_shape, y_Constant_3)
y_height1 = Gather (y_shape, y_Constant_4)
y_width = Reshape (y_width1, y_Constant_5)
y_height = Reshape (y_height1, y_Constant_5)
y_offset = Reshape (y_Constant, y_Constant_5)
y_columns = Range (y_first, y_width, y_unit)
y_rows0 = Range (y_first, y_height, y_unit)
y_rows1 = Add (y_rows0, y_offset)
y_rows = Unsqueeze (y_rows1, y_Constant_1)
y_cut = Greater (y_columns, y_rows)
y = Where (y_cut, y_Constant_2, x))"},
    {"no_older", 12, 11, R"(g (float[3] x) => (float[3] y) { y = Einsum <equation = "i->i"> (x) })",
     R"(! node with output 'y' (Einsum): not to be expressed in opset 11: it has neither 'Einsum' nor operators that make the same; the nearest opset that can is 12)"},
    {"unknown_operator", 13, 14, R"(g (float[3] x) => (float[3] y) { y = NoSuchOperator (x) })",
     R"(! node with output 'y' (NoSuchOperator): opset 13 has no such operator)"},
    {"other_domain", 13, 21, R"(g (float[3] x) => (float[3] y) { y = my.Squeeze <axes = [0]> (x) })",
     R"(y = my.Squeeze <axes: ints = [0]> (x))"},
    {"subgraph", 12, 13,
     R"(g (bool c, float[1,3] x) => (float[3] y) { y = If (c) <then_branch = t () => (float[3] z) { z = Squeeze <axes = [0]> (x) }, else_branch = e () => (float[3] z) { z = ReduceSum <axes = [0], keepdims = 0> (x) }> })",
     R"(y = If (c) <then_branch: graph = t () => (float[3] z) {
   z_Constant = Constant <value: tensor = int64[1] {0}> ()
   z = Squeeze (x, z_Constant)
}, else_branch: graph = e () => (float[3] z) {
   z_Constant_1 = Constant <value: tensor = int64[1] {0}> ()
   z = ReduceSum <keepdims: int = 0> (x, z_Constant_1)
}>)"},
    {"shadowed_names", 12, 13, R"(g (float[1,3] x, float[1] y_Constant) => (float[3] y) { y = Squeeze <axes = [0]> (x) })",
     R"(y_Constant_1 = Constant <value: tensor = int64[1] {0}> ()
y = Squeeze (x, y_Constant_1))"},
};

model::Model model_of(const std::string& graph, int opset) {
  return model::parse_text_model("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + ", \"my\" : 1]>\n" + graph);
}

std::string lines_of(const model::Graph& graph) {
  std::string lines;
  for (const model::Node& node : graph.node) lines += to_text(node) + "\n";
  for (const model::TensorData& tensor : graph.initializer) lines += to_text(tensor) + "\n";
  return lines;
}

class Adapters : public testing::TestWithParam<Case> {};

TEST_P(Adapters, MakeWhatIsExpected) {
  const Case& test = GetParam();
  const std::string expected = test.expected;
  try {
    const model::Model converted = convert_version(model_of(test.graph, test.from), test.to);
    EXPECT_EQ(lines_of(converted.graph), expected + "\n");
    EXPECT_EQ(converted.opset_version(), test.to);
  } catch (const Error& error) {
    EXPECT_EQ(std::string("! ") + error.what(), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Adapters, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& row) { return std::string(row.param.name); });

TEST(ConvertVersion, RefusesOpsetsThatDoNotExist) {
  const model::Model model = model_of("g (float[N] x) => (float[N] y) { y = Relu (x) }", 13);
  EXPECT_EQ(error_of([&] { convert_version(model, 28); }), "opset 28 is none that ONNX has: 1 to 27 are known here");
  EXPECT_EQ(error_of([&] { convert_version(model, 0); }), "opset 0 is none that ONNX has: 1 to 27 are known here");
  const model::Model late = model_of("g (float[N] x) => (float[N] y) { y = Relu (x) }", 99);
  EXPECT_THAT(message_of(ErrorCode::kInvalidModel, [&] { convert_version(late, 13); }), testing::HasSubstr("the model's opset 99"));
}

TEST(ConvertVersion, LeavesTheSameOpsetAlone) {
  const model::Model model = model_of("g (float[N] x) => (float[N] y) { y = Relu (x) }", 13);
  EXPECT_EQ(convert_version(model, 13), model);
}

TEST(ConvertVersion, ChoosesTheIrVersionOfTheRelease) {
  const model::Model model = model_of("g (float[N] x) => (float[N] y) { y = Relu (x) }", 13);
  for (const auto& [opset, ir_version] : {std::pair{7, 3}, {9, 4}, {11, 6}, {17, 8}, {21, 10}, {24, 12}, {27, 13}}) {
    EXPECT_EQ(convert_version(model, opset).ir_version, ir_version) << opset;
  }
  const model::Model weights = model_of("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add (x, w) }", 13);
  EXPECT_EQ(convert_version(weights, 7).ir_version, 4);  // an initializer that is no input
}

TEST(ConvertVersion, ConvertsFunctionsByTheirOwnImport) {
  const model::Model model = model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 18, "my" : 1]>
    g (float[1,3] x) => (float[3] y) { y = my.F <axes = [0]> (x) }
    <domain: "my", opset_import: ["" : 12]>
    F <axes> (a) => (b) { s = Squeeze <axes: ints = @axes> (a)  b = Elu (s) })");
  const model::Model converted = convert_version(model, 21);
  ASSERT_EQ(converted.functions.size(), 1U);
  EXPECT_EQ(converted.functions[0].opset_import[0].version, 21);
  const std::vector<model::Node>& nodes = converted.functions[0].node;
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(to_text(nodes[0]), "s_Constant = Constant <value_ints: ints = @axes> ()");
  EXPECT_EQ(to_text(nodes[1]), "s = Squeeze (a, s_Constant)");
  EXPECT_THAT(message_of(ErrorCode::kUnsupported, [&] { convert_version(converted, 12); }),
              testing::HasSubstr("function 'F': node with output 's' (Squeeze)"));
}

// A function of the model may have the name of an operator.
TEST(ConvertVersion, LeavesFunctionsInTheOperatorsDomainAlone) {
  const model::Model model = model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 12]>
    g (float[1,3] x) => (float[1,3] y) { y = Squeeze (x) }
    <domain: "", opset_import: ["" : 12]>
    Squeeze (a) => (b) { b = Relu (a) })");
  EXPECT_EQ(lines_of(convert_version(model, 13).graph), "y = Squeeze (x)\n");
}

TEST(ConvertVersion, KeepsNamesOfNodesInErrorsAndNewNodes) {
  const model::Model model = model_of("g (float[1,2] x, int64[1] a) => (float[2] y) { [sq] y = Squeeze (x, a) }", 13);
  EXPECT_EQ(message_of(ErrorCode::kUnsupported, [&] { convert_version(model, 11); }),
            "node 'sq' (Squeeze): not to be expressed in opset 12: its input 'a' is not constant, and the older operator takes it as an "
            "attribute; "
            "the nearest opset that can is 13");
  const model::Model gelu = model_of("g (float[2] x) => (float[2] y) { [act] y = Gelu (x) }", 20);
  EXPECT_EQ(convert_version(gelu, 19).graph.node.back().name, "act_Mul");
}

TEST(ConvertVersion, RefusesNodesThatBreakTheirSchema) {
  const auto error = [](std::string_view node) {
    const model::Model model = model_of("g (float[2,2] x) => (float[2,2] y) { " + std::string(node) + " }", 13);
    return message_of(ErrorCode::kInvalidModel, [&] { convert_version(model, 11); });
  };
  EXPECT_THAT(error("y = Softmax ()"), testing::HasSubstr("Softmax version 13 does not take 0 inputs"));
  EXPECT_THAT(error("y, z = Softmax (x)"), testing::HasSubstr("does not take 2 outputs"));
  EXPECT_THAT(error("y = Softmax (\"\")"), testing::HasSubstr("its input 0 ('input') is left out"));
}

TEST(ConvertVersion, RefusesTooDeepNesting) {
  auto graph = std::make_shared<model::Graph>();
  for (int depth = 0; depth < 300; ++depth) {
    auto outer = std::make_shared<model::Graph>();
    model::Node node;
    node.op_type = "If";
    node.attribute.push_back(model::Attribute::of("then_branch", *graph));
    outer->node.push_back(std::move(node));
    graph = outer;
  }
  model::Model model = model_of("g (float[N] x) => (float[N] y) { y = Relu (x) }", 12);
  model.graph.node.push_back(graph->node[0]);
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { convert_version(model, 13); }), testing::HasSubstr("nested more than 200 deep"));
}

}  // namespace
}  // namespace sardonyx
