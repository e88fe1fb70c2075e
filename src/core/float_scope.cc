#include "core/float_scope.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sardonyx::core {

namespace {
thread_local bool scope_active = false;

#if defined(__x86_64__)
constexpr unsigned kMasked = 0x1F80, kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040, kFlags = 0x003F;

uint64_t read_state() noexcept { return _mm_getcsr(); }
void write_state(uint64_t state) noexcept { _mm_setcsr(static_cast<unsigned>(state)); }
uint64_t control_of(uint64_t state) noexcept { return state & ~uint64_t{kFlags}; }
uint64_t kernel_state(bool flush_denormals) noexcept { return kMasked | (flush_denormals ? kFlushToZero | kDenormalsAreZero : 0); }
#elif defined(__aarch64__)
// FPCR in the lower half, FPSR (the flags) in the upper.
uint64_t read_state() noexcept {
  uint64_t control, flags;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("mrs %0, fpsr" : "=r"(flags));
  return (control & 0xFFFFFFFF) | flags << 32;
}
void write_state(uint64_t state) noexcept {
  const uint64_t control = state & 0xFFFFFFFF, flags = state >> 32;
  asm volatile("msr fpcr, %0" : : "r"(control));
  asm volatile("msr fpsr, %0" : : "r"(flags));
}
uint64_t control_of(uint64_t state) noexcept { return state & 0xFFFFFFFF; }
uint64_t kernel_state(bool flush_denormals) noexcept { return flush_denormals ? uint64_t{1} << 24 : 0; }
#else
uint64_t read_state() noexcept { return 0; }
void write_state(uint64_t) noexcept {}
uint64_t control_of(uint64_t state) noexcept { return state; }
uint64_t kernel_state(bool) noexcept { return 0; }
#endif
}  // namespace

FloatScope::FloatScope(bool flush_denormals) noexcept : saved_(read_state()), outer_(scope_active) {
  write_state(kernel_state(flush_denormals));
  scope_active = true;
}

FloatScope::~FloatScope() {
  write_state(saved_);
  scope_active = outer_;
}

bool FloatScope::active() noexcept { return scope_active; }

uint64_t float_control() noexcept { return control_of(read_state()); }

void set_float_control(uint64_t control) noexcept { write_state(control); }

}  // namespace sardonyx::core
