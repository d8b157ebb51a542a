// The arguments of a convolution, and what cuDNN is told of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "execution.h"
#include "problem.h"

namespace pt2::cudnn {

using OptionalTensor = std::optional<at::Tensor>;

struct Call {
  const at::Tensor &input, &weight;
  const OptionalTensor &bias, &other;
  at::IntArrayRef stride, padding, dilation;
  int64_t groups;
  bool relu, tuned;
};

// The output's sizes; empty where input and weight do not go together.
std::vector<int64_t> output_sizes(const Call &call);

// Whether cuDNN may be asked. Where not, libtorch computes it or says what is wrong.
bool is_for_plans(const Call &call);

// In memory as plans want it, with new memory for the output.
Tensors tensors_of(const Call &call, const std::vector<int64_t> &sizes);

Problem problem_of(const Call &call, const Tensors &tensors);

}  // namespace pt2::cudnn
