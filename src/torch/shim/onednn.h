// A convolution with what follows it in one call of oneDNN: `pt2::onednn_convolution`.
#pragma once

#include "builtin.h"

namespace pt2 {

Family onednn_convolutions();

}  // namespace pt2
