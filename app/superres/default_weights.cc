#include "superres/default_weights.h"

// The assembler puts the file into the read-only data as it stands.
asm(R"(
    .pushsection .rodata
    .balign 64
    .global sardonyx_superres_weights_begin
    .global sardonyx_superres_weights_end
sardonyx_superres_weights_begin:
    .incbin ")" SARDONYX_SUPERRES_WEIGHTS R"("
sardonyx_superres_weights_end:
    .popsection
)");

extern "C" {
extern const std::byte sardonyx_superres_weights_begin[];
extern const std::byte sardonyx_superres_weights_end[];
}

namespace sardonyx::superres {

std::span<const std::byte> default_weights() noexcept { return {sardonyx_superres_weights_begin, sardonyx_superres_weights_end}; }

}  // namespace sardonyx::superres
