// The life of a deployed model, step by step: define a network, load trained weights, export it to ONNX, check the file, run it, prove that
// both give the same numbers, and super-resolve a photo. Each step prints its time and what was verified; the first that fails ends it.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "sardonyx/check.h"
#include "sardonyx/export.h"
#include "sardonyx/image.h"
#include "sardonyx/session.h"
#include "superres/comparison.h"
#include "superres/net.h"
#include "superres/pipeline.h"
#include "superres/quality.h"

namespace {
using namespace sardonyx;
namespace fs = std::filesystem;

struct Arguments {
  std::string photo;
  fs::path out = "out";
  fs::path font = superres::kDefaultFont;
  std::optional<std::string> weights;
};

// Runs one step and prints what it did and how long it took. The body returns what it verified.
template <class Body>
void step(std::string_view title, Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  const std::string verified = with_trail([&] { return std::string(title); }, body);
  const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  fmt::print("  {:<38} {:>8.1f} ms   {}\n", title, milliseconds, verified);
  std::fflush(stdout);
}

[[noreturn]] void fail(std::string message) { throw Error(ErrorCode::kInternal, std::move(message)); }

// The greatest absolute difference; an error unless |a - b| <= atol + rtol |b| everywhere.
double expect_close(const Tensor& a, const Tensor& b, double rtol, double atol) {
  if (a.shape() != b.shape()) fail("shapes differ: " + to_string(a.shape()) + " and " + to_string(b.shape()));
  double greatest = 0;
  for (size_t i = 0; i < a.values<float>().size(); ++i) {
    const double x = static_cast<double>(a.values<float>()[i]), y = static_cast<double>(b.values<float>()[i]);
    if (!(std::abs(x - y) <= atol + rtol * std::abs(y))) fail(fmt::format("element {} is {}, expected {}", i, x, y));
    greatest = std::max(greatest, std::abs(x - y));
  }
  return greatest;
}

// How the tutorial exports: opset 10, the batch alone dynamic.
ExportOptions tutorial_options() {
  ExportOptions options = superres::export_options(10);
  const std::map<int64_t, std::string> batch = {{0, "batch_size"}};
  options.dynamic_axes = {{"input", batch}, {"output", batch}};
  return options;
}

void export_and_verify(superres::SuperResolutionNet& net, const fs::path& file) {
  const Tensor input = superres::example_input();
  Tensor eager;
  step("run it eagerly", [&] {
    eager = net(input);
    return fmt::format("{} -> {}", to_string(input.shape()), to_string(eager.shape()));
  });
  step("export to ONNX, opset 10", [&] {
    export_onnx(*net, {input}, file, tutorial_options());
    return fmt::format("{}, {} bytes, dynamic batch", file.string(), fs::file_size(file));
  });
  step("check the file", [&] {
    const CheckReport report = check_model(model::read_model(file));
    if (!report.runnable()) fail(to_string(report));
    return fmt::format("valid, {} warnings", report.warnings);
  });
  std::optional<InferenceSession> session;
  step("open it in a session", [&] {
    session.emplace(file);
    return to_string(session->inputs()[0]);
  });
  step("run it and compare with eager", [&] {
    const double error = expect_close(session->run({{"input", input}})[0], eager, 1e-3, 1e-5);
    return fmt::format("max abs error {:.2g} (rtol 1e-3, atol 1e-5)", error);
  });
  step("run a batch of three", [&] {
    const Tensor batch = cat({input, input, input});
    const double error = expect_close(session->run({{"input", batch}})[0], cat({eager, eager, eager}), 1e-3, 1e-5);
    return fmt::format("max abs error {:.2g}", error);
  });
}

struct Corner {
  int left = 0, top = 0;
};

// The square of that side, at most, in which two pictures differ most.
Corner most_different(const Image& a, const Image& b, int side) {
  constexpr int kStep = 10;
  const std::span<const uint8_t> x = a.samples<uint8_t>(), y = b.samples<uint8_t>();
  const auto difference = [&](int left, int top) {
    int64_t sum = 0;
    for (int row = top; row < top + side; ++row) {
      const size_t begin = (static_cast<size_t>(row) * static_cast<size_t>(a.width()) + static_cast<size_t>(left)) * 3;
      for (size_t i = begin; i < begin + static_cast<size_t>(side) * 3; ++i) sum += std::abs(int{x[i]} - int{y[i]});
    }
    return sum;
  };
  Corner best;
  int64_t greatest = -1;
  for (int top = 0; top + side <= a.height(); top += kStep) {
    for (int left = 0; left + side <= a.width(); left += kStep) {
      if (const int64_t sum = difference(left, top); sum > greatest) {
        greatest = sum;
        best = {left, top};
      }
    }
  }
  return best;
}

// A square of a picture, enlarged so that pixels can be told apart.
Image detail(const Image& picture, const Corner& corner, int side) {
  constexpr int kZoom = 3;
  return resize(crop(picture, corner.left, corner.top, side, side), kZoom * side, kZoom * side, Filter::kNearest);
}

// Reduces the photo, enlarges it again in three ways, and shows them beside the original.
std::string compare(const InferenceSession& session, const Image& photo, const Arguments& arguments) {
  constexpr int kFactor = superres::kFactor;
  const int width = photo.width() / kFactor, height = photo.height() / kFactor;
  const Image original = crop(convert(photo, ImageMode::kRGB), 0, 0, width * kFactor, height * kFactor);
  const Image small = resize(original, width, height, Filter::kBicubic);
  const auto enlarged = [&](Filter filter) { return resize(small, original.width(), original.height(), filter); };
  const Image nearest = enlarged(Filter::kNearest), bicubic = enlarged(Filter::kBicubic), ours = superres::upscale(session, small);
  const int side = std::min({120, original.width(), original.height()});
  const Corner corner = most_different(ours, bicubic, side);
  const auto psnr = [&](const Image& picture) { return superres::luma_psnr(picture, original, kFactor); };
  const auto panel = [&](const Image& picture, const char* caption) {
    return superres::Panel{detail(picture, corner, side), caption, fmt::format("PSNR {:.2f} dB", psnr(picture))};
  };
  const std::vector<superres::Panel> panels = {panel(nearest, "Nearest"),
                                               panel(bicubic, "Bicubic"),
                                               panel(ours, "Sardonyx"),
                                               {detail(original, corner, side), "Original", "what was reduced"}};
  const std::string heading = fmt::format("{} x {} pixels, three times larger", width, height);
  write_image(arguments.out / "comparison.png", superres::draw_sheet(heading, panels, arguments.font));
  if (psnr(ours) <= psnr(bicubic)) fail(fmt::format("{:.2f} dB is no better than bicubic's {:.2f} dB", psnr(ours), psnr(bicubic)));
  return fmt::format("nearest {:.2f} dB, bicubic {:.2f} dB, ours {:.2f} dB", psnr(nearest), psnr(bicubic), psnr(ours));
}

void super_resolve(superres::SuperResolutionNet& net, const Arguments& arguments) {
  std::optional<InferenceSession> session;
  step("export with dynamic height and width", [&] {
    session.emplace(export_model(*net, {superres::example_input()}, superres::export_options()));
    return to_string(session->inputs()[0]);
  });
  Image photo, result;
  step("read the photo", [&] {
    photo = read_image(arguments.photo);
    return fmt::format("{} x {}, {}", photo.width(), photo.height(), to_string(photo.mode()));
  });
  step("super-resolve it", [&] {
    result = superres::upscale(*session, photo);
    if (result.width() != photo.width() * superres::kFactor) fail("the result has the wrong size");
    return fmt::format("{} x {}", result.width(), result.height());
  });
  step("write superres.png", [&] {
    write_image(arguments.out / "superres.png", result);
    if (read_image(arguments.out / "superres.png") != result) fail("the file does not hold what was written");
    return (arguments.out / "superres.png").string();
  });
  step("reduce, enlarge again and compare", [&] { return compare(*session, photo, arguments); });
}

void run(const Arguments& arguments) {
  fs::create_directories(arguments.out);
  fmt::print("The life of a model:\n");
  superres::SuperResolutionNet net{nullptr};
  step("define the network", [&] {
    net = superres::SuperResolutionNet(superres::kFactor);
    int64_t count = 0;
    for (const Tensor& parameter : net->parameters()) count += parameter.numel();
    return fmt::format("{} parameters", count);
  });
  step("load trained weights", [&] {
    net = superres::load_net(arguments.weights);
    return fmt::format("{} tensors from {}", net->state_dict().size(), arguments.weights ? *arguments.weights : "models/superres_x3.pth");
  });
  export_and_verify(net, arguments.out / "superres.onnx");
  super_resolve(net, arguments);
  fmt::print("Look at {} and {}.\n", (arguments.out / "superres.png").string(), (arguments.out / "comparison.png").string());
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Goes through the life of a deployed model with the super-resolution network.", "superres_tutorial");
  Arguments arguments;
  app.add_option("PHOTO", arguments.photo, "A picture: JPEG, PNG, BMP, TIFF, WebP, JPEG 2000 or PNM")->required();
  app.add_option("--out", arguments.out, "Where results are written")->capture_default_str();
  app.add_option("--weights", arguments.weights, "A checkpoint of the network, instead of the built-in one");
  app.add_option("--font", arguments.font, "A TrueType font for the captions")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    run(arguments);
  } catch (const std::exception& error) {
    std::fputs(fmt::format("superres_tutorial: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
