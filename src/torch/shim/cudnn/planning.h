// The plan for a problem: the first that works of what cuDNN suggests, or the fastest.
#pragma once

#include "execution.h"
#include "lane.h"

namespace pt2::cudnn {

// None where cuDNN has no engine for it. Measuring writes to the output.
std::optional<Plan> plan_for(Turn &turn, const Problem &problem, const Tensors &tensors);

}  // namespace pt2::cudnn
