// Operators whose kernels need a larger alignment than the dtype's.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <cstddef>
#include <vector>

namespace pt2 {

// Positions of the tensors that must be aligned as libtorch's own allocator aligns them. Empty for
// nearly all operators.
std::vector<size_t> aligned_arguments(const c10::FunctionSchema &schema);

// Replaces unaligned tensors at these positions of the stack by copies.
void align(torch::jit::Stack &stack, const std::vector<size_t> &positions);

}  // namespace pt2
