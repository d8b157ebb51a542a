#include "scratch.h"

#include <ATen/ops/empty.h>

namespace {

thread_local at::Tensor memory;

}  // namespace

at::Tensor pt2::scratch(int64_t elements) {
  if (!memory.defined() || memory.numel() < elements) {
    memory.reset();
    memory = at::empty({elements}, at::kFloat);
  }
  return memory.slice(0, 0, elements);
}

void pt2::release_scratch() noexcept { memory.reset(); }
