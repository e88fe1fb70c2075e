// EXIF orientation: finding it, and turning a picture accordingly.
#pragma once

#include <cstddef>
#include <span>

#include "sardonyx/image.h"

namespace sardonyx::image {

// The orientation (1 to 8) from an EXIF block: a TIFF header and its first directory, with or without "Exif\0\0" before it.
// 1, as stored, where the block has none or cannot be read.
int exif_orientation(std::span<const std::byte> exif) noexcept;

// The picture as its orientation (1 to 8) asks it to be shown; 5 to 8 exchange width and height.
Image turned_upright(const Image& stored, int orientation);

}  // namespace sardonyx::image
