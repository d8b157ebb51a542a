// Autotuning: measures which engine configuration is fastest on the device.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "execution.h"

namespace pt2::cudnn {

// Returns none if no configuration computes the problem. Overwrites the output; the stream must not
// be capturing.
std::optional<std::pair<EngineConfig, ExecutionPlan>> autotune(HandleLock &turn, const Descriptor &graph,
                                                               const std::vector<EngineConfig> &configs,
                                                               const Tensors &tensors);

}  // namespace pt2::cudnn
