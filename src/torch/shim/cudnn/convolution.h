// A convolution with what follows it, by plans of our own: `pt2::cudnn_convolution`.
#pragma once

#include <c10/util/FunctionRef.h>

#include "../builtin.h"
#include "call.h"

namespace pt2::cudnn {

Family convolutions();

at::Tensor convolved(const Call &call);

// Runs a plan on the tensors of a call that plans are for, in what `memory` gives it to work in. False where
// cuDNN has none.
bool run(const Call &call, const Tensors &tensors, c10::function_ref<at::Tensor(const Plan &)> memory);

}  // namespace pt2::cudnn
