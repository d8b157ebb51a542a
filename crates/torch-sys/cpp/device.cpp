#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <memory>
#include <optional>
#include <string>

#include "libtorch_versions.h"
#include "onednn/prepacked_weight.h"
#include "scratch.h"
#include "shim.h"
#include "stream.h"

using pt2::guarded;
using pt2::ShimError;

extern "C" uint64_t aoti_torch_abi_version();

namespace pt2 {

// Sets the mode, the current device and the caller's stream until the scope ends. Scratch memory is
// released with it.
struct Scope {
  Mode mode;
  c10::OptionalDeviceGuard device;
  std::optional<CurrentStream> stream;
  const uint64_t prepacks_before = prepack_count();

  ~Scope() { release_scratch(); }
};

// Makes a stream of libpt2 current, for copies that overlap other work.
struct SideStream {
  Mode mode;
  c10::DeviceGuard device;
  OwnStream own;
  CurrentStream current;

  explicit SideStream(c10::Device on) : device(on), own(on.index()), current(own.raw(), on.index()) {}
};

}  // namespace pt2

using pt2::Scope;
using pt2::SideStream;

void *pt2::cuda_symbol(const char *name) {
  void *library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  TORCH_CHECK(library, "libtorch_cuda.so is not loaded");
  void *symbol = dlsym(library, name);
  dlclose(library);
  TORCH_CHECK(symbol, "libtorch_cuda.so has no ", name);
  return symbol;
}

extern "C" {

// The scopes carry a Mode of their own, which must outlast the call: a `guarded` around them would undo it.
ShimError *shim_scope_enter(int32_t device_type, int32_t device_index, void *stream, Scope **out) noexcept {
  return pt2::caught([&] {
    auto scope = std::make_unique<Scope>();
    auto device = pt2::device_of(device_type, device_index);
    if (!device.is_cpu()) {
      scope->device.reset_device(device);
    }
    if (stream) {
      scope->stream.emplace(stream, device_index);
    }
    *out = scope.release();
  });
}

// noexcept: destructors do not throw.
void shim_scope_leave(Scope *scope) noexcept { delete scope; }

// noexcept: compares two numbers.
bool shim_scope_has_prepacked(const Scope *scope) noexcept {
  return pt2::prepack_count() != scope->prepacks_before;
}

ShimError *shim_side_stream_enter(int32_t device_type, int32_t device_index, SideStream **out) noexcept {
  return pt2::caught([&] { *out = new SideStream(pt2::device_of(device_type, device_index)); });
}

// noexcept: destructors do not throw.
void shim_side_stream_leave(SideStream *side) noexcept { delete side; }

// Waits until all work that this thread's current stream on the device holds is done.
ShimError *shim_device_synchronize(int32_t device_type, int32_t device_index) noexcept {
  return guarded([&] {
    auto device = pt2::device_of(device_type, device_index);
    if (!device.is_cpu()) {
      c10::impl::VirtualGuardImpl guard(device.type());
      guard.getStream(device).synchronize();
    }
  });
}

// Waits for the work of all streams.
ShimError *shim_device_finish(int32_t device_type, int32_t device_index) noexcept {
  return guarded([&] {
    auto device = pt2::device_of(device_type, device_index);
    if (!device.is_cpu()) {
      c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
    }
  });
}

ShimError *shim_device_release_cached(int32_t device_type, int32_t device_index) noexcept {
  return guarded([&] {
    auto device = pt2::device_of(device_type, device_index);
    if (!device.is_cpu()) {
      c10::OptionalDeviceGuard guard(device);
      at::getDeviceAllocator(device.type())->emptyCache();
    }
  });
}

// How many CUDA devices libtorch can use. This is libtorch's first question about CUDA, whose answer it
// keeps.
int32_t shim_cuda_device_count() noexcept {
  return pt2::guarded_or(0, [] {
    const auto &hooks = at::detail::getCUDAHooks();
    return hooks.hasCUDA() ? static_cast<int>(hooks.getNumGPUs()) : 0;
  });
}

bool shim_cuda_versions(int64_t *runtime, int64_t *cudnn) noexcept {
  return pt2::guarded_or(false, [&] {
    const auto &hooks = at::detail::getCUDAHooks();
    if (!hooks.hasCUDA()) {
      return false;
    }
    *runtime = hooks.versionCUDART();
    *cudnn = hooks.hasCuDNN() ? hooks.versionRuntimeCuDNN() : 0;
    return true;
  });
}

// noexcept: sets a flag.
void shim_disable_onednn() noexcept { at::globalContext().setUserEnabledMkldnn(false); }

ShimError *shim_set_threads(int32_t count) noexcept {
  return pt2::caught([&] { at::set_num_threads(count); });
}

int32_t shim_threads() noexcept {
  return pt2::guarded_or(1, [] { return at::get_num_threads(); });
}

// noexcept: it returns a constant.
uint64_t shim_headers_version() noexcept { return pt2::kHeadersVersion; }

// The version of the libtorch in this process, whatever the headers were: major, minor and patch
// are the top three bytes of its ABI version (torch/version.h, 2.9 to 2.15).
const char *shim_libtorch_version(size_t *length) noexcept {
  return pt2::guarded_or("", [&] {
    *length = 0;
    static const std::string text = [] {
      uint64_t abi = aoti_torch_abi_version();
      auto byte = [abi](int shift) { return std::to_string((abi >> shift) & 0xff); };
      return byte(56) + "." + byte(48) + "." + byte(40);
    }();
    *length = text.size();
    return text.c_str();
  });
}
}
