// Operators that PyTorch's companions register from Python and that need more than one call of `aten` with
// sizes or values that only a run knows. Each function makes the same calls in the same order, because that
// decides the last bit.
#pragma once

#include <ATen/ATen.h>

#include "../builtin_ops.h"

namespace pt2::python {

Family transformers();
Family torchao();
Family torchao_float8();
Family pooling();

// A tensor's sizes in blocks of `block` as dimensions of their own, those dimensions, and the sizes with one
// for each of them (`_get_reduction_params` of torchao/quantization/quant_primitives.py, 0.18).
struct Blocks {
  std::vector<int64_t> sizes, inside, reduced;
};
Blocks blocks_of(at::IntArrayRef block, at::IntArrayRef sizes);

// How many blocks each dimension has.
std::vector<int64_t> block_counts(at::IntArrayRef block, at::IntArrayRef sizes);

}  // namespace pt2::python
