// A product with what follows it in one call: `pt2::addmm_relu`.
#pragma once

#include "builtin.h"

namespace pt2 {

Family products();

}  // namespace pt2
