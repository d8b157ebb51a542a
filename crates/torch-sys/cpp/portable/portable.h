// Operators that libtorch has for one type of device only, composed of operators of every device.
// Each has the schema of its namesake in `aten`, so that `plan::device_lowering` replaces only the
// namespace.
#pragma once

#include <ATen/core/Tensor.h>

#include "../builtin_ops.h"

namespace pt2::portable {

// Returns the product of int8 matrices of any sizes. cuBLAS rejects some sizes.
at::Tensor int_mm(const at::Tensor &self, const at::Tensor &mat2);

Family attention();
Family attention_backward();
Family convolutions();
Family normalizations();
Family products();
Family recurrent();
Family strides();

}  // namespace pt2::portable
