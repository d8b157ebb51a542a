// Tensors that a caller's handle can describe.
#pragma once

#include <ATen/core/Tensor.h>

namespace pt2 {

// Returns true if the memory holds the elements: strided, within its storage, and neither a lazy
// conjugate nor a lazy negative.
bool is_plain(const at::Tensor &tensor);

// Returns the values as a plain tensor. A lazy conjugate, a lazy negative and zeros without memory
// are computed into new memory. Throws for any other kind and names it.
at::Tensor plain(const at::Tensor &tensor);

}  // namespace pt2
