// How each torch-level operator of a trace becomes ONNX operators of the asked opset. One function per kind; table.cc lists them.
#pragma once

#include <string_view>

#include "export/graph_builder.h"
#include "nn/trace.h"

namespace sardonyx::exporter {

// Adds the nodes of one operator and names its output.
using Lower = void (*)(GraphBuilder& graph, const nn::TraceOp& op);

// Null where there is none.
Lower find_lowering(std::string_view kind) noexcept;

void lower_adaptive_avg_pool2d(GraphBuilder& graph, const nn::TraceOp& op);
void lower_add(GraphBuilder& graph, const nn::TraceOp& op);
void lower_avg_pool2d(GraphBuilder& graph, const nn::TraceOp& op);
void lower_batch_norm(GraphBuilder& graph, const nn::TraceOp& op);
void lower_cat(GraphBuilder& graph, const nn::TraceOp& op);
void lower_clamp(GraphBuilder& graph, const nn::TraceOp& op);
void lower_conv2d(GraphBuilder& graph, const nn::TraceOp& op);
void lower_div(GraphBuilder& graph, const nn::TraceOp& op);
void lower_dropout(GraphBuilder& graph, const nn::TraceOp& op);
void lower_flatten(GraphBuilder& graph, const nn::TraceOp& op);
void lower_leaky_relu(GraphBuilder& graph, const nn::TraceOp& op);
void lower_linear(GraphBuilder& graph, const nn::TraceOp& op);
void lower_matmul(GraphBuilder& graph, const nn::TraceOp& op);
void lower_max_pool2d(GraphBuilder& graph, const nn::TraceOp& op);
void lower_mul(GraphBuilder& graph, const nn::TraceOp& op);
void lower_permute(GraphBuilder& graph, const nn::TraceOp& op);
void lower_pixel_shuffle(GraphBuilder& graph, const nn::TraceOp& op);
void lower_pixel_unshuffle(GraphBuilder& graph, const nn::TraceOp& op);
void lower_relu(GraphBuilder& graph, const nn::TraceOp& op);
void lower_reshape(GraphBuilder& graph, const nn::TraceOp& op);
void lower_sigmoid(GraphBuilder& graph, const nn::TraceOp& op);
void lower_softmax(GraphBuilder& graph, const nn::TraceOp& op);
void lower_squeeze(GraphBuilder& graph, const nn::TraceOp& op);
void lower_sub(GraphBuilder& graph, const nn::TraceOp& op);
void lower_tanh(GraphBuilder& graph, const nn::TraceOp& op);
void lower_transpose(GraphBuilder& graph, const nn::TraceOp& op);
void lower_unsqueeze(GraphBuilder& graph, const nn::TraceOp& op);

}  // namespace sardonyx::exporter
