// Matrix product with bias and ReLU in one call: `pt2::addmm_relu`.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family products();

}  // namespace pt2
