#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/command.h"
#include "sardonyx/export.h"
#include "sardonyx/image.h"
#include "sardonyx/process.h"
#include "sardonyx/session.h"
#include "superres/net.h"
#include "superres/pipeline.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string input, output;
  std::optional<std::string> weights, model, size;
  int threads = 0;
};

InferenceSession open_session(const Arguments& arguments) {
  SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  options.max_memory = available_memory();
  if (arguments.model) return InferenceSession(*arguments.model, options);
  superres::SuperResolutionNet net = superres::load_net(arguments.weights);
  return InferenceSession(export_model(*net, {superres::example_input()}, superres::export_options()), options);
}

Image read_input(const Arguments& arguments) {
  Image image = read_image(arguments.input);
  if (!arguments.size) return image;
  const Shape size = parse_shape(*arguments.size);
  if (size.size() != 2 || size[0] < 1 || size[1] < 1 || size[0] > Image::kMaxSide || size[1] > Image::kMaxSide) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("--resize: '{}' is not a size; write it as 224x224", *arguments.size));
  }
  return resize(image, static_cast<int>(size[0]), static_cast<int>(size[1]), Filter::kBicubic);
}

int superres_file(const Arguments& arguments) {
  Progress progress("superres");
  progress.show("reading");
  const Image image = read_input(arguments);
  progress.show("loading the network");
  const InferenceSession session = open_session(arguments);
  progress.show(fmt::format("{} x {} pixels", image.width(), image.height()));
  const Image result = with_trail([&] { return arguments.input; }, [&] { return superres::upscale(session, image); });
  progress.show("writing");
  WriteOptions options;
  options.jpeg = {.quality = 95, .subsampling = ChromaSubsampling::k444};
  write_image(arguments.output, result, options);
  return 0;
}
}  // namespace

void add_superres(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("superres", "Makes a picture three times larger in both directions.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("IN", arguments->input, "A picture: JPEG, PNG, BMP, TIFF, WebP, JPEG 2000 or PNM")->required();
  command->add_option("-o,--output", arguments->output, "The .png or .jpg file to write")->required();
  CLI::Option* weights = command->add_option("--weights", arguments->weights, "A checkpoint of the network, instead of the built-in one");
  command->add_option("--model", arguments->model, "An ONNX model that enlarges one plane, instead of the network")->excludes(weights);
  command->add_option("--resize", arguments->size, "WxH: resizes the picture first");
  command->add_option("--threads", arguments->threads, "Threads; 0: as many as this process may use")->check(CLI::NonNegativeNumber);
  command->callback([arguments, &status] { status = superres_file(*arguments); });
}

}  // namespace sardonyx::cli
