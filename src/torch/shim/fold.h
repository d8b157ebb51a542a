// What folding batch norms computes once for each set of weights. `passes::batch_norm` and `passes::layout`
// write it into the graph.
#pragma once

#include "builtin.h"

namespace pt2 {

Family folds();

}  // namespace pt2
