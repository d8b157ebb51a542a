// The C surface that src/torch/ffi.rs declares. Nothing here throws: every function that can fail returns
// an owned ShimError or NULL, and runs its body through `guarded`.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>
#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pt2 {

// Numbered as in src/torch/error.rs, which a test compares with shim_error_kinds().
enum class ErrorKind : int32_t {
  Failed = 0,
  OutOfMemory = 1,
  DeviceOutOfMemory = 2,
  DeviceLost = 3,
};

struct ShimError {
  ErrorKind kind;
  std::string message;
};

// Turns the exception in flight into an error; called from a catch block only.
ShimError* current_exception() noexcept;

// Runs `body` in inference mode: libpt2 never records gradients.
template <class Body>
ShimError* guarded(Body&& body) noexcept {
  try {
    c10::InferenceMode inference;
    body();
    return nullptr;
  } catch (...) {
    return current_exception();
  }
}

// One call's values. A slot holds what an operator takes or gives.
struct Frame {
  std::vector<c10::IValue> slots;
  std::vector<c10::IValue> stack;
};

c10::Device device_of(int32_t type, int32_t index);

} // namespace pt2
