// Reorders a convolution's weight into the layout in which oneDNN computes.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace pt2 {

// Inputs of a prepacked weight. Its tensors are read-only.
struct ReorderRecipe {
  at::Tensor weight;
  // Factor for each filter, multiplied first.
  std::optional<at::Tensor> factors;
  std::vector<int64_t> padding, stride, dilation;
  int64_t groups = 1;

  // Throws if the factors do not match the weight.
  void check() const;

  // Returns true if the weight is libtorch's memory without other owners. Mapped pages of a file
  // cost nothing.
  bool is_only_copy() const;

  // Returns new memory in the layout for an input of these sizes, or contiguous if oneDNN has none.
  at::Tensor ordered_for(at::IntArrayRef input) const;
};

}  // namespace pt2
