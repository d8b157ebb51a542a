// Depthwise convolutions of two dimensions.
#pragma once

#include "conv_args.h"

namespace pt2::cudnn {

bool is_depthwise(const ConvArgs &call);

// The convolution by cuDNN and the rest by libtorch: engines that do both compile their kernels at run time,
// or are several times as slow.
at::Tensor depthwise(const ConvArgs &call);

}  // namespace pt2::cudnn
