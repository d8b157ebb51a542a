// A tensor in row-major order: `pt2::contiguous`.
#pragma once

#include "builtin.h"

namespace pt2 {

Family contiguous();

}  // namespace pt2
