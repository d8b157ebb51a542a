// `quantized_decomposed`: quantisation as operators on plain tensors, called by every
// pt2e-quantised program. PyTorch has it in Python only (torch/ao/quantization/fx/_decomposed.py,
// 2.11). Each function makes the same calls in the same order, because the order decides the last
// bit.
#pragma once

#include <ATen/ATen.h>

#include "../builtin_ops.h"

namespace pt2::quantized {

Family per_tensor();
Family per_channel();
Family per_token();
Family per_channel_group();
Family choose();
Family element_type();

// Returns true if values of this dtype can be quantised values.
bool holds_quantized(at::ScalarType dtype);

// Throws unless this dtype represents both bounds.
void check_bounds(const at::Scalar &quant_min, const at::Scalar &quant_max, at::ScalarType dtype);

// Converts to float32; throws for dtypes that are not narrower.
at::Tensor widened(const at::Tensor &input);

// Returns the reciprocals, as Python computes them for a tensor.
at::Tensor inverse(const at::Tensor &scales);

}  // namespace pt2::quantized
