// Autotuning: measures which engine configuration is fastest on the device.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "execution.h"

namespace pt2::cudnn {

// None where no choice computes the problem. The output is written to; the stream must not be recorded.
std::optional<std::pair<EngineConfig, ExecutionPlan>> autotune(HandleLock &turn, const Descriptor &graph,
                                                               const std::vector<EngineConfig> &configs,
                                                               const Tensors &tensors);

}  // namespace pt2::cudnn
