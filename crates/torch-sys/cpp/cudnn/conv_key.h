// Cache key of a convolution with its epilogue: sizes, strides and settings, without memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "descriptor.h"

namespace pt2::cudnn {

// Sizes and strides of an input, a weight or an output with two spatial dimensions.
struct TensorDesc {
  std::array<int64_t, 4> sizes;
  std::array<int64_t, 4> strides;

  // Describes a dense tensor. Strides of dimensions of size one follow the memory format, not the
  // tensor: cuDNN derives layouts from them.
  static TensorDesc dense(at::IntArrayRef sizes, at::MemoryFormat format);
  bool operator<(const TensorDesc &other) const;
};

struct ConvKey {
  int32_t device;
  int32_t type;  // cudnnDataType_t
  TensorDesc input, weight, output;
  std::array<int64_t, 2> padding, stride, dilation;
  bool bias, sum, relu;
  // Permissions of libtorch's settings.
  bool tf32, deterministic;
  // If true, the fastest engine is measured. Otherwise cuDNN's first suggestion is taken.
  bool autotune;

  bool is_grouped() const { return weight.sizes[1] != input.sizes[1]; }
  bool operator<(const ConvKey &other) const;
};

// Identifiers of a plan's tensors.
enum Id : int64_t { Input = 1, Weight, Output, Bias, Sum, Convolved, Summed, Biased };

// Returns the operations: output = relu(convolution(input, weight) + sum + bias). Absent terms are
// left out.
Descriptor operation_graph(Handle handle, const ConvKey &key);

}  // namespace pt2::cudnn
