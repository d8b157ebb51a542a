// Operators that PyTorch's companion packages register from Python, and that need several `aten`
// calls with sizes or values known only in a run. Each function makes the same calls in the same
// order, because the order decides the last bit.
#pragma once

#include <ATen/ATen.h>

#include "../builtin_ops.h"

namespace pt2::python {

Family transformers();
Family torchao();
Family torchao_float8();
Family pooling();

// Sizes of a tensor split into blocks of `block`, the dimensions inside of blocks, and the sizes
// with those reduced to one (`_get_reduction_params` of torchao/quantization/quant_primitives.py,
// 0.18).
struct Blocks {
  std::vector<int64_t> sizes, inside, reduced;
};
Blocks blocks_of(at::IntArrayRef block, at::IntArrayRef sizes);

// Returns the number of blocks in each dimension.
std::vector<int64_t> block_counts(at::IntArrayRef block, at::IntArrayRef sizes);

}  // namespace pt2::python
