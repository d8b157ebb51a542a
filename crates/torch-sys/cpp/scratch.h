// Memory that operators of one run use one after the other. What is new to the process costs a page fault for
// every 4 KiB, which is more than most arithmetic on it.
#pragma once

#include <ATen/core/Tensor.h>

namespace pt2 {

// This many elements in a row, whose content is whatever was there. The next call gives the same memory.
at::Tensor scratch(int64_t elements);

// Gives this thread's memory back.
void release_scratch() noexcept;

}  // namespace pt2
