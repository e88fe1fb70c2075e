// Runs image operations for a test in another language, many in one process.
//
// Reads one job a line from standard input: IN OUT STEP..., separated by spaces, and answers each with a line, "ok" or "error: ...".
// IN is a JPEG or PNG file. Steps, in order: stored (ignore the orientation; first step only), convert=MODE, resize=W,H,FILTER,
// crop=LEFT,TOP,W,H, bands (split and merge again), floats=MODE,ROUNDING (to a tensor and back).
// OUT gets: *.png and *.jpg the encoded image (jpeg steps: quality=N, subsampling=444|422|420, progressive); *.raw a line "MODE W H" and
// the samples in native byte order; *.f32 a line "C H W" and the floats of its tensor.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "sardonyx/image.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::Image;

struct Step {
  std::string name;
  std::vector<std::string> arguments;

  explicit Step(const std::string& text) : name(text.substr(0, text.find('='))) {
    std::istringstream rest(name.size() == text.size() ? "" : text.substr(name.size() + 1));
    for (std::string argument; std::getline(rest, argument, ',');) arguments.push_back(argument);
  }
  int number(size_t i) const { return std::stoi(arguments.at(i)); }
  sardonyx::ImageMode mode(size_t i) const {
    const auto found = sardonyx::image_mode_from_string(arguments.at(i));
    if (!found) throw Error(ErrorCode::kInvalidArgument, "no mode '" + arguments[i] + "'");
    return *found;
  }
  sardonyx::Filter filter(size_t i) const {
    const auto found = sardonyx::filter_from_string(arguments.at(i));
    if (!found) throw Error(ErrorCode::kInvalidArgument, "no filter '" + arguments[i] + "'");
    return *found;
  }
};

struct Job {
  Image image;
  sardonyx::WriteOptions options;

  void run(const Step& step);
  bool configure(const Step& step);
};

bool Job::configure(const Step& step) {
  if (step.name == "quality") {
    options.jpeg.quality = step.number(0);
  } else if (step.name == "progressive") {
    options.jpeg.progressive = true;
  } else if (step.name == "subsampling") {
    using sardonyx::ChromaSubsampling;
    const int pattern = step.number(0);
    options.jpeg.subsampling = pattern == 444   ? ChromaSubsampling::k444
                               : pattern == 422 ? ChromaSubsampling::k422
                                                : ChromaSubsampling::k420;
  } else {
    return false;
  }
  return true;
}

void Job::run(const Step& step) {
  if (configure(step)) return;
  if (step.name == "convert") {
    image = convert(image, step.mode(0));
  } else if (step.name == "resize") {
    image = resize(image, step.number(0), step.number(1), step.filter(2));
  } else if (step.name == "crop") {
    image = crop(image, step.number(0), step.number(1), step.number(2), step.number(3));
  } else if (step.name == "bands") {
    image = sardonyx::merge(image.mode(), split(image));
  } else if (step.name == "floats") {
    const bool nearest = step.arguments.at(1) == "nearest";
    image = sardonyx::from_tensor(to_tensor(image), step.mode(0),
                                  nearest ? sardonyx::SampleRounding::kNearest : sardonyx::SampleRounding::kTruncate);
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no step '" + step.name + "'");
  }
}

template <class T>
void write_block(const std::string& path, const std::string& header, std::span<const T> values) {
  std::ofstream out(path, std::ios::binary);
  out << header << '\n';
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  if (!out.flush()) throw Error(ErrorCode::kIo, path + ": cannot be written");
}

void write_output(const std::string& path, const Job& job) {
  const Image& image = job.image;
  if (path.ends_with(".f32")) {
    const sardonyx::Tensor tensor = to_tensor(image);
    std::ostringstream header;
    header << tensor.size(0) << ' ' << tensor.size(1) << ' ' << tensor.size(2);
    write_block(path, header.str(), tensor.values<float>());
  } else if (path.ends_with(".raw")) {
    std::ostringstream header;
    header << to_string(image.mode()) << ' ' << image.width() << ' ' << image.height();
    if (sample_bits(image.mode()) == 8) {
      write_block(path, header.str(), image.samples<uint8_t>());
    } else {
      write_block(path, header.str(), image.samples<uint16_t>());
    }
  } else {
    write_image(path, image, job.options);
  }
}

void run_line(const std::string& line) {
  std::istringstream words(line);
  std::string in, out;
  words >> in >> out;
  std::vector<Step> steps;
  for (std::string word; words >> word;) steps.emplace_back(word);
  sardonyx::DecodeOptions decode;
  decode.apply_orientation = steps.empty() || steps[0].name != "stored";
  Job job{sardonyx::read_image(in, decode), {}};
  for (size_t i = decode.apply_orientation ? 0 : 1; i < steps.size(); ++i) job.run(steps[i]);
  write_output(out, job);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      run_line(line);
      std::cout << "ok" << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error: " << error.what() << std::endl;
    }
  }
  return 0;
}
