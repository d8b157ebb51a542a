// One execution of a plan on the tensors of a call.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine_config.h"
#include "stream_handle.h"

namespace pt2::cudnn {

// Undefined where the problem has none.
struct Tensors {
  at::Tensor input, weight, output, bias, sum;
};

// Memory that a plan works in, on the current stream: libtorch's allocator gives it to nobody else before
// what is queued there is done.
at::Tensor workspace(const ExecutionPlan &plan, const Tensors &tensors);

void execute(HandleLock &turn, const ExecutionPlan &plan, const Tensors &tensors,
             const at::Tensor &workspace);

}  // namespace pt2::cudnn
