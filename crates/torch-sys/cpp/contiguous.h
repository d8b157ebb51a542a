// A tensor in row-major order: `pt2::contiguous`.
#pragma once

#include <ATen/core/Tensor.h>

#include "builtin_ops.h"

namespace pt2 {

// As libtorch's `contiguous`, but dimensions of size one have the strides that a new tensor would have.
// libtorch's returns a channels-last tensor of one pixel or one channel as it is, and operators tell formats
// apart by those strides.
at::Tensor row_major(const at::Tensor &tensor);

Family contiguous();

}  // namespace pt2
