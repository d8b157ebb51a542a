// Engine configuration: one of cuDNN's engines with its knobs set.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "conv_key.h"

namespace pt2::cudnn {

struct EngineConfig {
  int64_t engine;
  std::vector<std::pair<int64_t, int64_t>> knobs;
};

// Returns the best `most` of cuDNN's suggestions that libtorch's settings allow, best first. cuDNN
// 9.19 takes 0.2 ms for one and 4 ms for thirty.
std::vector<EngineConfig> heuristic_configs(const Descriptor &graph, const ConvKey &key, size_t most);

// Returns the configuration with a workspace, if the engine has that knob alone and it is off. Such
// engines call cuBLAS. Without a workspace, cuBLAS takes older kernels and computes sum and ReLU in
// a second one.
std::optional<EngineConfig> with_workspace(const EngineConfig &config);

// Returns the engines that support any problem. cuDNN takes 9 ms to list them.
std::vector<EngineConfig> fallback_configs(const Descriptor &graph, const ConvKey &key);

struct ExecutionPlan {
  Descriptor descriptor;
  int64_t workspace;  // bytes
};

// Returns none if the engine cannot compute the problem after all.
std::optional<ExecutionPlan> build_plan(Handle handle, const Descriptor &graph, const EngineConfig &config);

}  // namespace pt2::cudnn
