#include "fused_fallback.h"

#include <cstdint>

#include "pt2_shim.h"

namespace {

thread_local bool fail = false;
thread_local uint64_t fallbacks = 0;

}  // namespace

bool pt2::fused_calls_fail() noexcept { return fail; }

void pt2::fused_call_fell_back() noexcept { ++fallbacks; }

extern "C" {

// noexcept: sets a flag.
void shim_fused_calls_fail(bool wanted) noexcept { fail = wanted; }

// noexcept: reads a number.
uint64_t shim_fused_fallbacks() noexcept { return fallbacks; }
}
