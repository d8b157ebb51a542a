// Contiguous tensors: `pt2::contiguous`.
#pragma once

#include <ATen/core/Tensor.h>

#include "builtin_ops.h"

namespace pt2 {

// Like libtorch's `contiguous`, but dimensions of size one get the strides of a new tensor.
// libtorch's returns a channels-last tensor of one pixel or one channel unchanged, and operators
// derive the memory format from those strides.
at::Tensor row_major(const at::Tensor &tensor);

Family contiguous();

}  // namespace pt2
