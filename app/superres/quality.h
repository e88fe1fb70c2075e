// How near an enlarged picture is to the true one.
#pragma once

#include "sardonyx/image.h"

namespace sardonyx::superres {

// Peak signal-to-noise ratio in dB as super-resolution papers give it: luma of BT.601 in the range 16 to 235, `border` pixels cut on each
// side. Both of mode L (full-range luma) or RGB, of one size.
double luma_psnr(const Image& a, const Image& b, int border);

}  // namespace sardonyx::superres
