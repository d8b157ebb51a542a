// Library that AOTInductor compiled, called through its C interface
// (torch/csrc/inductor/aoti_runtime/interface.h, 2.9 to 2.15).

#pragma once

#include <ATen/core/Tensor.h>
#include <dlfcn.h>

#include <string>
#include <unordered_map>

#include "../pt2_shim.h"
#include "../stderr_capture.h"

namespace pt2::aoti {

// The C interface passes a tensor as a pointer to an at::Tensor (aoti_torch/utils.h, 2.11).
using Handle = at::Tensor *;
using Raw = void *;
using Constants = std::unordered_map<std::string, Handle>;

using Create = int32_t (*)(Raw *, size_t, const char *, const char *);
using Delete = int32_t (*)(Raw);
using Run = int32_t (*)(Raw, Handle *, size_t, Handle *, size_t, void *, void *);
using Count = int32_t (*)(Raw, size_t *);
using Name = int32_t (*)(Raw, size_t, const char **);
using CallSpec = int32_t (*)(Raw, const char **, const char **);
using Type = int32_t (*)(Raw, size_t, int32_t *);
using Folded = int32_t (*)(Raw, size_t, bool *);
using Do = int32_t (*)(Raw);
using Fold = int32_t (*)(Raw, bool, void *, void *);
using Size = int32_t (*)(Raw, size_t, size_t *);
using Extract = int32_t (*)(Raw, Constants *, bool);
using LastError = int32_t (*)(const char **);

template <class Function>
Function symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  TORCH_CHECK(address, "the compiled library has no ", name);
  return reinterpret_cast<Function>(address);
}

// Throws the compiled code's message as an error of the kind that its words imply. `reason` is the
// text that the code printed. A reason that only the library's interface reports is appended.
[[noreturn]] void fail(void *library, std::string reason);

// Runs a function of the library's interface. If it fails, the text that it printed becomes the
// message.
template <class Body>
void checked(void *library, Body &&body) {
  StderrCapture capture;
  if (body() != 0) {
    fail(library, capture.reasons());
  }
}

}  // namespace pt2::aoti

namespace pt2 {

struct ModelContainer {
  void *library;
  aoti::Raw raw = nullptr;
  aoti::Run run = nullptr;
  c10::Device device = at::kCPU;

  ~ModelContainer();

  // Returns NULL on the CPU.
  void *stream() const;

  // By their names in the exported module. The tensors are the container's.
  aoti::Constants constants() const;

  // Folds the constants and makes the code look up all addresses again. In a first run, a thread
  // that holds an instance would do this and wait for all others to end: a deadlock
  // (aoti_runtime/model_container.h, 2.6 to 2.11).
  void fold() const;
};

}  // namespace pt2
