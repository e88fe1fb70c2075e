// What this machine can do at best, by a short measurement: the roofline that `sardonyx explain` holds kernels against.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace sardonyx {

struct MachinePeak {
  struct Bandwidth {
    size_t bytes;  // that are touched
    double bytes_per_second;
  };

  int threads = 1;
  double flops = 0;                        // float32 multiply-adds of vectors per second, each counting two
  std::vector<Bandwidth> bandwidths = {};  // by ascending bytes, never rising: caches first, memory last

  // Bytes per second that can be read and written by a computation that touches so many.
  double bandwidth(size_t bytes) const noexcept;
  // No computation in float32 can take less time (S. Williams, A. Waterman, D. Patterson: Roofline, 2009).
  double least_seconds(double flop, size_t bytes) const noexcept;
};

// Takes about `time` and 128 MB of memory for a moment. `threads` as SessionOptions::intra_op_num_threads. To be called while nothing else
// computes. Throws ResourceLimit where the memory cannot be had, InvalidArgument for a negative number of threads.
MachinePeak measure_peak(int threads = 0, std::chrono::milliseconds time = std::chrono::milliseconds(200));

}  // namespace sardonyx
