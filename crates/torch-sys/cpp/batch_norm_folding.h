// What folding batch norms computes once for each set of weights. `passes::batch_norm` and
// `passes::channels_last` write it into the graph.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family folds();

}  // namespace pt2
