#include "superres/comparison.h"

#include <fmt/format.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <array>
#include <memory>

namespace sardonyx::superres {

namespace {
using Colour = std::array<uint8_t, 3>;
constexpr Colour kPaper = {250, 249, 246}, kInk = {28, 28, 32}, kFaint = {110, 110, 118};
constexpr int kMargin = 28, kGap = 16, kHeadingSize = 24, kCaptionSize = 18, kNoteSize = 14;

// Draws text on an RGB image.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& font) {
    if (FT_Init_FreeType(&library_) != 0) throw Error(ErrorCode::kInternal, "FreeType does not start");
    if (FT_New_Face(library_, font.c_str(), 0, &face_) != 0) {
      FT_Done_FreeType(library_);
      throw Error(ErrorCode::kIo, fmt::format("{}: no font to read; install fonts-dejavu-core, or name one with --font", font.string()));
    }
  }
  ~Writer() {
    FT_Done_Face(face_);
    FT_Done_FreeType(library_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // `baseline` is the height of the letters' feet. Bytes above 127 are read as Latin-1.
  void write(Image& image, int x, int baseline, std::string_view text, int size, const Colour& colour) {
    FT_Set_Pixel_Sizes(face_, 0, static_cast<FT_UInt>(size));
    for (const char c : text) {
      if (FT_Load_Char(face_, static_cast<unsigned char>(c), FT_LOAD_RENDER) != 0) continue;
      const FT_GlyphSlot glyph = face_->glyph;
      stamp(image, x + glyph->bitmap_left, baseline - glyph->bitmap_top, glyph->bitmap, colour);
      x += static_cast<int>(glyph->advance.x >> 6);
    }
  }

 private:
  static void stamp(Image& image, int left, int top, const FT_Bitmap& bitmap, const Colour& colour) {
    const std::span<uint8_t> samples = image.mutable_samples<uint8_t>();
    for (int row = 0; row < static_cast<int>(bitmap.rows); ++row) {
      for (int column = 0; column < static_cast<int>(bitmap.width); ++column) {
        const int x = left + column, y = top + row;
        if (x < 0 || y < 0 || x >= image.width() || y >= image.height()) continue;
        const int cover = bitmap.buffer[row * bitmap.pitch + column];
        uint8_t* pixel = &samples[(static_cast<size_t>(y) * static_cast<size_t>(image.width()) + static_cast<size_t>(x)) * 3];
        for (size_t k = 0; k < 3; ++k) pixel[k] = static_cast<uint8_t>((pixel[k] * (255 - cover) + colour[k] * cover + 127) / 255);
      }
    }
  }

  FT_Library library_ = nullptr;
  FT_Face face_ = nullptr;
};

void paste(Image& sheet, const Image& picture, int left, int top) {
  const size_t row_bytes = static_cast<size_t>(picture.width()) * 3;
  for (int row = 0; row < picture.height(); ++row) {
    const auto from = picture.samples<uint8_t>().subspan(static_cast<size_t>(row) * row_bytes, row_bytes);
    const size_t offset = (static_cast<size_t>(top + row) * static_cast<size_t>(sheet.width()) + static_cast<size_t>(left)) * 3;
    std::copy(from.begin(), from.end(), sheet.mutable_samples<uint8_t>().begin() + static_cast<std::ptrdiff_t>(offset));
  }
}
}  // namespace

Image draw_sheet(const std::string& heading, const std::vector<Panel>& panels, const std::filesystem::path& font) {
  const int width = panels.at(0).picture.width(), height = panels.at(0).picture.height();
  const int count = static_cast<int>(panels.size());
  const int top = kMargin + kHeadingSize + kGap;
  Image sheet(ImageMode::kRGB, 2 * kMargin + count * width + (count - 1) * kGap,
              top + height + kGap + kCaptionSize + kNoteSize + kGap / 2 + kMargin);
  const std::span<uint8_t> samples = sheet.mutable_samples<uint8_t>();
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = kPaper[i % 3];
  Writer writer(font);
  writer.write(sheet, kMargin, kMargin + kHeadingSize - 4, heading, kHeadingSize, kInk);
  for (int i = 0; i < count; ++i) {
    const Panel& panel = panels[static_cast<size_t>(i)];
    const int left = kMargin + i * (width + kGap);
    paste(sheet, panel.picture, left, top);
    writer.write(sheet, left, top + height + kGap / 2 + kCaptionSize, panel.caption, kCaptionSize, kInk);
    writer.write(sheet, left, top + height + kGap + kCaptionSize + kNoteSize, panel.note, kNoteSize, kFaint);
  }
  return sheet;
}

}  // namespace sardonyx::superres
