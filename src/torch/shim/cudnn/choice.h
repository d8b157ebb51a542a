// How a problem is computed: one of cuDNN's engines, and how its knobs are set.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "problem.h"

namespace pt2::cudnn {

struct Choice {
  int64_t engine;
  std::vector<std::pair<int64_t, int64_t>> knobs;
};

// The best `most` of what cuDNN suggests, best first, less what libtorch's settings forbid. Asking for one
// takes 0.2 ms, for thirty 4 ms (cuDNN 9.19).
std::vector<Choice> suggested(const Descriptor &graph, const Problem &problem, size_t most);

// The same with some memory to work in, where a choice has none and nothing else to choose: such engines go
// to cuBLAS, which without memory takes kernels of older devices and does sum and rectifier in a kernel of
// its own.
std::optional<Choice> with_memory(const Choice &choice);

// Engines that compute anything, which take 9 ms to be told.
std::vector<Choice> last_resorts(const Descriptor &graph, const Problem &problem);

struct Plan {
  Descriptor descriptor;
  int64_t workspace;  // bytes
};

// None where this engine cannot compute the problem after all.
std::optional<Plan> planned(Handle handle, const Descriptor &graph, const Choice &choice);

}  // namespace pt2::cudnn
