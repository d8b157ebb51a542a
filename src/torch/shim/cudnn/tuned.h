// What tuning chose, to be kept across processes: a choice for each problem of a device, as a line of text.
#pragma once

#include <optional>

#include "choice.h"

namespace pt2::cudnn {

std::optional<Choice> recalled(const Problem &problem);

void remember(const Problem &problem, const Choice &choice);

}  // namespace pt2::cudnn
