// Plan selection: the first plan that works of what cuDNN suggests, or the fastest.
#pragma once

#include "execution.h"
#include "stream_handle.h"

namespace pt2::cudnn {

// None where cuDNN has no engine for it. Measuring writes to the output.
std::optional<ExecutionPlan> plan_for(HandleLock &turn, const ConvKey &key, const Tensors &tensors);

}  // namespace pt2::cudnn
