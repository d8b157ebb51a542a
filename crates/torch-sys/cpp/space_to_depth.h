// Blocks of pixels as channels. `passes::space_to_depth` writes the operator into the graph.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family blocks();

}  // namespace pt2
