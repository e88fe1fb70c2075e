// libjpeg's error manager, leading to an Escape.
#pragma once

// jpeglib.h uses size_t and FILE without declaring them.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include "image/codec.h"

namespace sardonyx::image {

struct JpegErrors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is one to the whole
  Escape escape;

  JpegErrors();
  JpegErrors(const JpegErrors&) = delete;
  JpegErrors& operator=(const JpegErrors&) = delete;
};

}  // namespace sardonyx::image
