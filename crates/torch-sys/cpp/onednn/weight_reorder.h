// Reorders a convolution's weight into the layout in which oneDNN computes.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace pt2 {

// What such a weight is made from. Nobody writes to its tensors.
struct ReorderRecipe {
  at::Tensor weight;
  // Each filter is multiplied by its own first, where there are any.
  std::optional<at::Tensor> factors;
  std::vector<int64_t> padding, stride, dilation;
  int64_t groups = 1;

  // Throws where the factors are not for this weight.
  void check() const;

  // Whether the weight is memory of libtorch's that nobody else holds. Pages of a file cost nothing.
  bool is_only_copy() const;

  // New memory, in the order that suits an input of these sizes; contiguous where oneDNN has none for them.
  at::Tensor ordered_for(at::IntArrayRef input) const;
};

}  // namespace pt2
