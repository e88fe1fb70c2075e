// The weights with which the samples of one axis are mixed into those of a resized axis.
#pragma once

#include <vector>

#include "sardonyx/image.h"

namespace sardonyx::image {

struct AxisWeights {
  struct Window {
    int first;  // the first source sample that takes part
    int count;  // how many do, at least 1
  };
  std::vector<Window> windows;  // one for each output sample
  std::vector<double> weights;  // `stride` for each output sample, of which windows[i].count are used; they add up to 1
  int stride = 0;
};

// As Pillow computes them, bit for bit where std::sin and std::cos agree. Not for Filter::kNearest.
AxisWeights axis_weights(int in_size, int out_size, Filter filter);

// The source sample for each output sample under Filter::kNearest, with Pillow's accumulated steps.
std::vector<int> nearest_sources(int in_size, int out_size);

}  // namespace sardonyx::image
