// A convolution by cuDNN, with its sum and activation, and by libtorch where cuDNN has no plan.
#pragma once

#include "../builtin.h"
#include "call.h"

namespace pt2::cudnn {

at::Tensor convolved(const Call &call);

// Undefined where cuDNN has no plan for the call.
at::Tensor planned(const Call &call);

// Adds the other side of the sum and applies the activation, in place.
at::Tensor with_epilogue(at::Tensor result, const Call &call);

Family convolutions();

}  // namespace pt2::cudnn
