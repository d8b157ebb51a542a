#include "fallback.h"

namespace {

thread_local bool fail = false;

}  // namespace

bool pt2::fused_calls_fail() noexcept { return fail; }

// For tests: from now on every fused call of this thread falls back, or none does.
extern "C" void shim_fused_calls_fail(bool wanted) { fail = wanted; }
