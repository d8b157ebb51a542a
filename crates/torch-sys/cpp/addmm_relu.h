// A product with what follows it in one call: `pt2::addmm_relu`.
#pragma once

#include "builtin_ops.h"

namespace pt2 {

Family products();

}  // namespace pt2
