// Depthwise convolutions of two dimensions.
#pragma once

#include "call.h"

namespace pt2::cudnn {

bool is_depthwise(const Call &call);

// By a kernel that is there at once, where there is one: for most channels-last depthwise convolutions cuDNN
// (9.10 and later) suggests an engine that compiles its kernel at run time, for about 0.1 s each.
at::Tensor depthwise(const Call &call);

}  // namespace pt2::cudnn
