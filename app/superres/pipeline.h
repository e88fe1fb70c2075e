// From a photo to a larger photo: the network works on luma, chroma and alpha are enlarged by bicubic interpolation.
#pragma once

#include "sardonyx/image.h"
#include "sardonyx/session.h"

namespace sardonyx::superres {

// The luma of a picture, and what goes round the network.
struct Planes {
  Image luma;    // mode L
  Image cb, cr;  // mode L; empty for grey pictures
  Image alpha;   // mode L; empty without
};

// Any mode; 16-bit samples are reduced to 8 bits, as the network was trained on.
Planes split_planes(const Image& image);
// Luma from the network's output [1, 1, H, W] (clipped to 0..1, scaled, truncated as the tutorial does); the other planes are resized to
// it.
Image merge_planes(const Tensor& output, const Planes& planes);
// The network's input [1, 1, H, W] with values in 0..1.
Tensor luma_tensor(const Planes& planes);

// The whole way. The model takes one plane and returns one larger by a whole factor in both directions; anything else is an error that
// names what it takes and returns.
Image upscale(const InferenceSession& session, const Image& image);

}  // namespace sardonyx::superres
