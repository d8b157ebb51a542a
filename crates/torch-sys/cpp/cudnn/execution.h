// Execution of a plan on the tensors of a call.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine_config.h"
#include "stream_handle.h"

namespace pt2::cudnn {

// Tensors of a call. Absent ones are undefined.
struct Tensors {
  at::Tensor input, weight, output, bias, sum;
};

// Allocates a plan's workspace on the current stream. libtorch's allocator does not reuse it before
// the work queued there has finished.
at::Tensor workspace(const ExecutionPlan &plan, const Tensors &tensors);

void execute(HandleLock &turn, const ExecutionPlan &plan, const Tensors &tensors,
             const at::Tensor &workspace);

}  // namespace pt2::cudnn
