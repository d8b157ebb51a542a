// Operators whose kernels need more of an address than the dtype does.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <cstddef>
#include <vector>

namespace pt2 {

// The positions of the tensors that a call of this operator may only be given at addresses that libtorch's
// own allocator makes; empty for nearly all operators.
std::vector<size_t> aligned_arguments(const c10::FunctionSchema &schema);

// Puts copies in the place of those tensors on the stack that lie elsewhere.
void align(torch::jit::Stack &stack, const std::vector<size_t> &positions);

}  // namespace pt2
