// Fused fallback: if a fused call fails, computes it by libtorch's operators one by one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <exception>

namespace pt2 {

// Returns true if fused calls of this thread must fail, as a test requested.
bool fused_calls_fail() noexcept;

// Counts a fallback, for tests.
void fused_call_fell_back() noexcept;

// Computes `fused`. If it throws or returns an undefined tensor, computes `composed`, the libtorch
// calls that it stands for. `fused` must not write to an argument before it throws. Exhausted
// memory and a lost device are thrown on, because `composed` would fail likewise.
template <class Fused, class Composed>
at::Tensor fused_or(Fused &&fused, Composed &&composed) {
  try {
    auto result = fused_calls_fail() ? at::Tensor() : fused();
    if (result.defined()) {
      return result;
    }
  } catch (const c10::OutOfMemoryError &) {
    throw;
  } catch (const c10::AcceleratorError &) {
    throw;
  } catch (const std::exception &) {
  }
  fused_call_fell_back();
  return composed();
}

}  // namespace pt2
