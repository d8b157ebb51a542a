// Helper operators for higher-order operators that call one operator, where libtorch has none.
// `plan::hop_lowering` writes them into the graph.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family direct();

}  // namespace pt2
