// Convolution by cuDNN with its sum and activation, or by libtorch if cuDNN has no plan.
#pragma once

#include "../builtin_ops.h"
#include "conv_args.h"

namespace pt2::cudnn {

at::Tensor convolved(const ConvArgs &call);

// Returns an undefined tensor if cuDNN has no plan for the call.
at::Tensor run_plan(const ConvArgs &call);

// Adds the other operand of the sum and applies the activation, in place.
at::Tensor with_epilogue(at::Tensor result, const ConvArgs &call);

Family convolutions();

}  // namespace pt2::cudnn
