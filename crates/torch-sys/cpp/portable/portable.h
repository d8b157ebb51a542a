// Operators that libtorch has for one type of device only, computed with operators that every device has.
// Each declares the schema of the one in `aten` whose name it bears, so that `plan::device_lowering` only
// exchanges the namespace.
#pragma once

#include <ATen/core/Tensor.h>

#include "../builtin_ops.h"

namespace pt2::portable {

// A product of int8 matrices of any sizes, which cuBLAS refuses for some.
at::Tensor int_mm(const at::Tensor &self, const at::Tensor &mat2);

Family attention();
Family attention_backward();
Family convolutions();
Family normalizations();
Family products();
Family recurrent();
Family strides();

}  // namespace pt2::portable
