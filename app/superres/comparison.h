// A sheet that shows pictures side by side, with captions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sardonyx/image.h"

namespace sardonyx::superres {

struct Panel {
  Image picture;  // mode RGB; all panels are of one size
  std::string caption, note;
};

// The panels in a row under a heading. `font` is a TrueType file. Throws Io if it cannot be read, naming the Debian package that has one.
Image draw_sheet(const std::string& heading, const std::vector<Panel>& panels, const std::filesystem::path& font);

// Where Debian's fonts-dejavu-core puts its font.
inline constexpr const char* kDefaultFont = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

}  // namespace sardonyx::superres
