// Helpers for the definitions of the functions of pt2_shim.h. No exception leaves an extern "C"
// function: its body is one call of `caught`, `guarded`, `guarded_or` or `attempted`. Otherwise the
// function is noexcept, and a comment above it gives the reason why nothing can throw.
// tests/interfaces/shim_exceptions.rs checks that.
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

// Converts the current exception to an error. Called from a catch block only.
ShimError *current_exception() noexcept;

// Drops libtorch's warnings: libpt2 prints nothing.
c10::WarningHandler *silence() noexcept;

// Thread-local modes of libtorch during libpt2's calls: no autograd, no warnings. (The handler is
// thread-local in c10/util/Exception.cpp, 2.11, although the header calls it global.)
struct Mode {
  c10::InferenceMode inference;
  c10::WarningUtils::WarningHandlerGuard warnings{silence()};
};

// Runs `body` and converts an exception to an error.
template <class Body>
ShimError *caught(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return current_exception();
  }
}

// Like `caught`, in a Mode of its own: for functions that are called outside of a Scope.
template <class Body>
ShimError *guarded(Body &&body) noexcept {
  return caught([&] {
    Mode mode;
    body();
  });
}

// Runs the body of a query and returns `otherwise` on an exception.
template <class Answer, class Body>
Answer guarded_or(Answer otherwise, Body &&body) noexcept {
  try {
    return body();
  } catch (...) {
    return otherwise;
  }
}

// Runs `body` in destructors, which cannot report an error. Returns true on success.
template <class Body>
bool attempted(Body &&body) noexcept {
  return guarded_or(false, [&] {
    body();
    return true;
  });
}

// Values of one call, in slots.
struct Frame {
  std::vector<c10::IValue> slots;
  std::vector<c10::IValue> stack;
};

c10::Device device_of(int32_t type, int32_t index);

// Returns a symbol of libtorch's CUDA library or its dependencies. Throws if there is none.
void *cuda_symbol(const char *name);

}  // namespace pt2
