// Depthwise convolutions of two dimensions.
#pragma once

#include "conv_args.h"

namespace pt2::cudnn {

bool is_depthwise(const ConvArgs &call);

// Computes the convolution by cuDNN, and bias, sum and activation by libtorch. Engines that fuse
// them compile their kernels at run time or are several times slower. Returns an undefined tensor
// if cuDNN has no plan.
at::Tensor planned_alone(const ConvArgs &call);

}  // namespace pt2::cudnn
