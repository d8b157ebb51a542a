// Depthwise convolutions of two dimensions.
#pragma once

#include "call.h"

namespace pt2::cudnn {

bool is_depthwise(const Call &call);

// The convolution by cuDNN and the rest by libtorch: engines that do both compile their kernels at run time,
// or are several times as slow.
at::Tensor depthwise(const Call &call);

}  // namespace pt2::cudnn
