// The weights that come with the program, within the program.
#pragma once

#include <cstddef>
#include <span>

namespace sardonyx::superres {

// The bytes of models/superres_x3.pth.
std::span<const std::byte> default_weights() noexcept;

}  // namespace sardonyx::superres
