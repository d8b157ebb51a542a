// What the definitions of the functions of pt2_shim.h share. No exception leaves them: the body of an extern
// "C" function is one call of `caught`, `guarded`, `guarded_or` or `attempted`, or the function is noexcept
// and a comment above it says why nothing can throw. tests/shim_exceptions.rs checks that.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string>
#include <vector>

#include "pt2_shim.h"

namespace pt2 {

struct ShimError {
  FailureKind kind;
  std::string message;
};

// Turns the exception in flight into an error; called from a catch block only.
ShimError *current_exception() noexcept;

// libtorch prints its warnings; a library in somebody's process prints nothing.
c10::WarningHandler *silence() noexcept;

// What libtorch keeps per thread while it works for libpt2: no gradients are recorded, no warning is printed.
// (The handler is thread-local in c10/util/Exception.cpp, 2.11, whatever the header says.)
struct Mode {
  c10::InferenceMode inference;
  c10::WarningUtils::WarningHandlerGuard warnings{silence()};
};

// Runs `body` and turns an exception into an error.
template <class Body>
ShimError *caught(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return current_exception();
  }
}

// The same in a Mode of its own, for what is called outside of a Scope.
template <class Body>
ShimError *guarded(Body &&body) noexcept {
  return caught([&] {
    Mode mode;
    body();
  });
}

// Runs the body of a function that answers a question; an exception is answered with `otherwise`.
template <class Answer, class Body>
Answer guarded_or(Answer otherwise, Body &&body) noexcept {
  try {
    return body();
  } catch (...) {
    return otherwise;
  }
}

// Runs `body` where no error can be reported, in destructors and the like. Returns whether it succeeded.
template <class Body>
bool attempted(Body &&body) noexcept {
  return guarded_or(false, [&] {
    body();
    return true;
  });
}

// One call's values. A slot holds what an operator takes or gives.
struct Frame {
  std::vector<c10::IValue> slots;
  std::vector<c10::IValue> stack;
};

c10::Device device_of(int32_t type, int32_t index);

// What libtorch's CUDA library, or one that it brought along, exports. Throws where there is no such thing.
void *cuda_symbol(const char *name);

}  // namespace pt2
