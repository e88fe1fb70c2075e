#include "superres/quality.h"

#include <cmath>
#include <limits>

namespace sardonyx::superres {

namespace {
Image luma_of(const Image& image) { return image.mode() == ImageMode::kL ? image : split(convert(image, ImageMode::kYCbCr)).front(); }
}  // namespace

double luma_psnr(const Image& a, const Image& b, int border) {
  if (a.width() != b.width() || a.height() != b.height() || a.width() <= 2 * border || a.height() <= 2 * border) {
    throw Error(ErrorCode::kInvalidArgument, "luma_psnr: the pictures differ in size, or are smaller than the border");
  }
  constexpr double kStudioRange = 219.0 / 255.0;  // full range to 16..235
  const Image x = luma_of(a), y = luma_of(b);
  double sum = 0, count = 0;
  for (int row = border; row < a.height() - border; ++row) {
    for (int column = border; column < a.width() - border; ++column) {
      const size_t i = static_cast<size_t>(row) * static_cast<size_t>(a.width()) + static_cast<size_t>(column);
      const double difference = kStudioRange * (int{x.samples<uint8_t>()[i]} - int{y.samples<uint8_t>()[i]});
      sum += difference * difference;
      ++count;
    }
  }
  if (sum == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * count / sum);
}

}  // namespace sardonyx::superres
