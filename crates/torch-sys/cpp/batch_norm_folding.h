// Folding of batch norms, computed once for each weight set. `passes::batch_norm` and
// `passes::channels_last` write these operators into the graph.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family folds();

}  // namespace pt2
