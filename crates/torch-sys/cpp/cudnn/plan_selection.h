// Plan selection: the first of cuDNN's suggestions that works, or the fastest.
#pragma once

#include "execution.h"
#include "stream_handle.h"

namespace pt2::cudnn {

// Returns none if cuDNN has no engine for the problem. Measuring overwrites the output.
std::optional<ExecutionPlan> plan_for(HandleLock &turn, const ConvKey &key, const Tensors &tensors);

}  // namespace pt2::cudnn
