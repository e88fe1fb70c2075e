// The super-resolution network of Shi et al. 2016 (ESPCN, arXiv:1609.05158), as in the PyTorch tutorial: a luma plane in, one `factor`
// times larger in both directions out.
#pragma once

#include <filesystem>
#include <optional>

#include "sardonyx/export.h"
#include "sardonyx/model.h"
#include "sardonyx/nn.h"

namespace sardonyx::superres {

// Input [N, 1, H, W] with values in 0..1; output [N, 1, factor H, factor W].
struct SuperResolutionNetImpl : nn::Module {
  explicit SuperResolutionNetImpl(int64_t factor);
  Tensor forward(const Tensor& x) override;

  nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr}, conv4{nullptr};
  nn::PixelShuffle pixel_shuffle{nullptr};
};
SARDONYX_MODULE(SuperResolutionNet);

inline constexpr int64_t kFactor = 3;

// The network with weights from a checkpoint, or the ones that come with the program (models/superres_x3.md tells how they were trained);
// in evaluation mode.
SuperResolutionNet load_net(const std::optional<std::filesystem::path>& weights);

// How the tutorial exports the network: input "input", output "output", dynamic batch; here height and width are dynamic as well.
ExportOptions export_options(int64_t opset_version = kDefaultExportOpset);
// A batch of one plane, as the tutorial's example input.
Tensor example_input();

}  // namespace sardonyx::superres
