// Which of several choices is fastest, measured on the device.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "execution.h"

namespace pt2::cudnn {

// None where no choice computes the problem. The output is written to; the stream must not be recorded.
std::optional<std::pair<Choice, Plan>> fastest(Turn &turn, const Descriptor &graph,
                                               const std::vector<Choice> &choices, const Tensors &tensors);

}  // namespace pt2::cudnn
