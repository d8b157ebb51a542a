// Host memory for the thread that works in a workspace (crates/torch/src/workspace): libtorch's allocator
// asks it for large blocks, and gives all others to the one that was there before.

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include "shim.h"

namespace {

using Take = void *(*)(const void *workspace, size_t bytes);
using Give = bool (*)(void *block);

thread_local const void *workspace = nullptr;

struct Functions {
  Take take;
  Give give;
  size_t least;
  at::Allocator *below;
};

Functions functions{};

void release(void *block) {
  if (block && !functions.give(block)) {
    functions.below->raw_deallocate(block);
  }
}

// A block's context is its address, as in libtorch's own allocator, so that both can be released
// raw.
struct HostMemory final : at::Allocator {
  at::DataPtr allocate(size_t bytes) override {
    if (workspace && bytes >= functions.least) {
      if (auto *block = functions.take(workspace, bytes)) {
        return {block, block, &release, at::Device(at::kCPU)};
      }
    }
    return functions.below->allocate(bytes);
  }

  at::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void *to, const void *from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

extern "C" {

// Once in a process. Blocks of less than `least` bytes are not asked for.
pt2::ShimError *shim_host_memory_install(Take take, Give give, size_t least) noexcept {
  return pt2::caught([&] {
    static auto *const memory = new HostMemory;
    functions = {take, give, least, c10::GetCPUAllocator()};
    c10::SetCPUAllocator(memory);
  });
}

// Sets or clears this thread's workspace and returns the previous one.
// noexcept: exchanges a pointer.
const void *shim_host_memory_enter(const void *entered) noexcept {
  const void *before = workspace;
  workspace = entered;
  return before;
}
}
