// Tensors as a caller's handle can describe them.
#pragma once

#include <ATen/core/Tensor.h>

namespace pt2 {

// Whether the memory holds the elements as they are: strided, inside its storage, and no lazy conjugate or
// negative.
bool is_plain(const at::Tensor &tensor);

// The same values as a plain tensor: the tensor itself, or memory of its own where a lazy conjugate, a lazy
// negative or zeros without memory had to be computed. Throws for any other kind, and names it.
at::Tensor plain(const at::Tensor &tensor);

}  // namespace pt2
