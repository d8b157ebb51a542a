// Convolution with its epilogue in one call of oneDNN: `pt2::onednn_convolution`.
#pragma once

#include "../builtin_ops.h"

namespace pt2 {

Family onednn_convolutions();

}  // namespace pt2
