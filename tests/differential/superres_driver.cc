// Runs the super-resolution network eagerly: superres_driver (WEIGHTS | --seed N) INPUT.npy OUTPUT.npy; or writes the weights it starts
// with: superres_driver --seed N --state FILE.pth.
#include <cstdio>
#include <exception>
#include <string>

#include "sardonyx/checkpoint.h"
#include "sardonyx/nn.h"
#include "sardonyx/npy.h"
#include "superres/net.h"

namespace {

int run(int argc, char** argv) {
  using namespace sardonyx;
  const std::string first = argc > 1 ? argv[1] : "";
  const bool seeded = first == "--seed";
  const int rest = seeded ? 3 : 2;
  if (argc != rest + 2) {
    std::fputs("usage: superres_driver (WEIGHTS | --seed N) (INPUT.npy OUTPUT.npy | --state FILE.pth)\n", stderr);
    return 2;
  }
  superres::SuperResolutionNet net{nullptr};
  if (seeded) {
    manual_seed(std::stoull(argv[2]));
    net = superres::SuperResolutionNet(superres::kFactor);
    net->eval();
  } else {
    net = superres::load_net(first);
  }
  if (std::string(argv[rest]) == "--state") {
    save_checkpoint(argv[rest + 1], net->state_dict());
  } else {
    save_npy(argv[rest + 1], net(load_npy(argv[rest])));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "superres_driver: %s\n", error.what());
    return 1;
  }
}
