// Arguments of a convolution and their form for cuDNN.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "conv_key.h"
#include "execution.h"

namespace pt2::cudnn {

using OptionalTensor = std::optional<at::Tensor>;

struct ConvArgs {
  const at::Tensor &input, &weight;
  const OptionalTensor &bias, &other;
  at::IntArrayRef stride, padding, dilation;
  int64_t groups;
  bool relu, autotune;
};

// Returns the output's sizes, or none if input and weight do not match.
std::vector<int64_t> output_sizes(const ConvArgs &call);

// Returns true if cuDNN can be asked. Otherwise libtorch computes the convolution or throws.
bool is_supported(const ConvArgs &call);

// Returns the tensors in the memory format of plans, with new memory for the output.
Tensors tensors_of(const ConvArgs &call, const std::vector<int64_t> &sizes);

ConvKey key_of(const ConvArgs &call, const Tensors &tensors);

}  // namespace pt2::cudnn
