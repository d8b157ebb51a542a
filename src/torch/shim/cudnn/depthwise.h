// Depthwise convolutions of two dimensions.
#pragma once

#include "call.h"

namespace pt2::cudnn {

bool is_depthwise(const Call &call);

// Computes the convolution by cuDNN, and bias, sum and activation by libtorch: engines that do both compile
// their kernels at run time, or are several times as slow. Undefined where cuDNN has no plan.
at::Tensor planned_alone(const Call &call);

}  // namespace pt2::cudnn
