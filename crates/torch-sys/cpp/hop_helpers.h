// What higher-order operators that call one operator need beside that operator, and no operator of libtorch
// does. `plan::hop_lowering` writes them into the graph.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family direct();

}  // namespace pt2
