// Weights of convolutions as oneDNN keeps them. `passes::reorder` writes it into the graph.
#pragma once

#include "builtin.h"

namespace pt2 {

Family reorder();

}  // namespace pt2
