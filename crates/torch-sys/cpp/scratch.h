// Scratch memory, which the operators of one run use in turn. Memory that is new to the process
// costs a page fault for every 4 KiB, more than most arithmetic on it.
#pragma once

#include <ATen/core/Tensor.h>

namespace pt2 {

// Returns a vector of uninitialised elements. The next call returns the same memory.
at::Tensor scratch(int64_t elements);

// Releases this thread's memory.
void release_scratch() noexcept;

}  // namespace pt2
