// A convolution with what follows it, by plans of our own: `pt2::cudnn_convolution`.
#pragma once

#include "../builtin.h"
#include "call.h"

namespace pt2::cudnn {

Family convolutions();

at::Tensor convolved(const Call &call);

}  // namespace pt2::cudnn
