// The arguments of a convolution, and how cuDNN describes them.
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

// The output's sizes; empty where input and weight do not go together.
std::vector<int64_t> output_sizes(const ConvArgs &call);

// Whether cuDNN may be asked. Where not, libtorch computes it or says what is wrong.
bool is_supported(const ConvArgs &call);

// In memory as plans want it, with new memory for the output.
Tensors tensors_of(const ConvArgs &call, const std::vector<int64_t> &sizes);

ConvKey key_of(const ConvArgs &call, const Tensors &tensors);

}  // namespace pt2::cudnn
