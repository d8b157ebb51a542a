// Fused fallback: computes a fused call that fails by libtorch's operators one by one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <exception>

namespace pt2 {

// Whether fused calls of this thread fail, as a test may ask.
bool fused_calls_fail() noexcept;

// Counts one, for tests.
void fused_call_fell_back() noexcept;

// Computes by `fused`, or by `composed`, the calls of libtorch that the fused one stands for, where `fused`
// throws or returns an undefined tensor. Nothing may be written to an argument before `fused` throws. What
// `composed` would meet again is thrown on: memory that is used up, a device that is lost.
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
