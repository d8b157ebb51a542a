// `quantized_decomposed`: quantisation spelled out in operators on plain tensors, which every pt2e-quantised
// program calls. PyTorch has it in Python only (torch/ao/quantization/fx/_decomposed.py, 2.11); each function
// here makes the same calls in the same order, because that decides the last bit.
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

// Whether values of this type are quantised values.
bool holds_quantized(at::ScalarType dtype);

// Throws unless values of this type can be as small and as great.
void check_bounds(const at::Scalar &quant_min, const at::Scalar &quant_max, at::ScalarType dtype);

// The same in float32; throws for what is neither that nor narrower.
at::Tensor widened(const at::Tensor &input);

// One divided by each, as Python computes it for a tensor.
at::Tensor inverse(const at::Tensor &scales);

}  // namespace pt2::quantized
