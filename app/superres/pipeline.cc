#include "superres/pipeline.h"

#include <array>

namespace sardonyx::superres {

namespace {
// The plane of a network's output, checked against the input's size.
Tensor output_plane(const std::vector<Tensor>& outputs, const Image& luma) {
  const auto fail = [](const std::string& what) {
    throw Error(ErrorCode::kInvalidArgument, "the model is no super-resolution of one plane: " + what);
  };
  if (outputs.size() != 1) fail("it has " + std::to_string(outputs.size()) + " outputs, expected 1");
  const Shape& shape = outputs[0].shape();
  if (shape.size() != 4 || shape[0] != 1 || shape[1] != 1)
    fail("its output has shape " + to_string(shape) + ", expected [1, 1, height, width]");
  if (shape[2] % luma.height() != 0 || shape[2] / luma.height() != shape[3] / luma.width() || shape[3] % luma.width() != 0) {
    fail("from [1, 1, " + std::to_string(luma.height()) + ", " + std::to_string(luma.width()) + "] it makes " + to_string(shape));
  }
  return outputs[0];
}
}  // namespace

Planes split_planes(const Image& given) {
  const Image image = convert(given, eight_bit_mode(given.mode()));
  Planes planes;
  if (image.mode() == ImageMode::kYCbCr) {
    const std::vector<Image> bands = split(image);
    return {bands[0], bands[1], bands[2], {}};
  }
  if (has_alpha(image.mode())) planes.alpha = split(image).back();
  if (image.channels() <= 2) {
    planes.luma = split(image).front();
    return planes;
  }
  const std::vector<Image> bands = split(convert(convert(image, ImageMode::kRGB), ImageMode::kYCbCr));
  planes.luma = bands[0];
  planes.cb = bands[1];
  planes.cr = bands[2];
  return planes;
}

Tensor luma_tensor(const Planes& planes) { return to_tensor(planes.luma).reshape({1, 1, planes.luma.height(), planes.luma.width()}); }

Image merge_planes(const Tensor& output, const Planes& planes) {
  const Image luma = from_tensor(output, ImageMode::kL, SampleRounding::kTruncate);
  const auto enlarged = [&](const Image& plane) { return resize(plane, luma.width(), luma.height(), Filter::kBicubic); };
  const bool grey = planes.cb.empty();
  Image picture = luma;
  if (!grey) {
    const std::array<Image, 3> bands = {luma, enlarged(planes.cb), enlarged(planes.cr)};
    picture = convert(merge(ImageMode::kYCbCr, bands), ImageMode::kRGB);
  }
  if (planes.alpha.empty()) return picture;
  std::vector<Image> bands = split(picture);
  bands.push_back(enlarged(planes.alpha));
  return merge(grey ? ImageMode::kLA : ImageMode::kRGBA, bands);
}

Image upscale(const InferenceSession& session, const Image& image) {
  if (session.inputs().size() != 1) {
    throw Error(ErrorCode::kInvalidArgument,
                "the model is no super-resolution of one plane: it has " + std::to_string(session.inputs().size()) + " inputs, expected 1");
  }
  const Planes planes = split_planes(image);
  const std::vector<Tensor> outputs = session.run({{session.inputs()[0].name, luma_tensor(planes)}});
  return merge_planes(output_plane(outputs, planes.luma), planes);
}

}  // namespace sardonyx::superres
