// Engine configuration: one of cuDNN's engines, and how its knobs are set.
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

// The best `most` of what cuDNN suggests, best first, less what libtorch's settings forbid. Asking for one
// takes 0.2 ms, for thirty 4 ms (cuDNN 9.19).
std::vector<EngineConfig> heuristic_configs(const Descriptor &graph, const ConvKey &key, size_t most);

// The same with some memory to work in, where a choice has none and nothing else to choose: such engines go
// to cuBLAS, which without memory takes kernels of older devices and does sum and rectifier in a kernel of
// its own.
std::optional<EngineConfig> with_workspace(const EngineConfig &config);

// Engines that compute anything, which take 9 ms to be told.
std::vector<EngineConfig> fallback_configs(const Descriptor &graph, const ConvKey &key);

struct ExecutionPlan {
  Descriptor descriptor;
  int64_t workspace;  // bytes
};

// None where this engine cannot compute the problem after all.
std::optional<ExecutionPlan> build_plan(Handle handle, const Descriptor &graph, const EngineConfig &config);

}  // namespace pt2::cudnn
