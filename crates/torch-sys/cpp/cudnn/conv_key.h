// Key of a convolution with its epilogue, as cuDNN sees it: sizes and strides of everything, and no memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "descriptor.h"

namespace pt2::cudnn {

// Two spatial dimensions. Sizes and strides of a convolution's two sides and its weight.
struct TensorDesc {
  std::array<int64_t, 4> sizes;
  std::array<int64_t, 4> strides;

  // Of a dense tensor. Strides of dimensions of size one are what the format makes them, whatever the tensor
  // says: cuDNN tells layouts apart by them.
  static TensorDesc dense(at::IntArrayRef sizes, at::MemoryFormat format);
  bool operator<(const TensorDesc &other) const;
};

struct ConvKey {
  int32_t device;
  int32_t type;  // cudnnDataType_t
  TensorDesc input, weight, output;
  std::array<int64_t, 2> padding, stride, dilation;
  bool bias, sum, relu;
  // What libtorch's settings allow.
  bool tf32, deterministic;
  // Whether the fastest engine is measured, or what cuDNN suggests is taken.
  bool autotune;

  bool is_grouped() const { return weight.sizes[1] != input.sizes[1]; }
  bool operator<(const ConvKey &other) const;
};

// Which tensor is which in a plan.
enum Id : int64_t { Input = 1, Weight, Output, Bias, Sum, Convolved, Summed, Biased };

// The operations: output = relu(convolution(input, weight) + sum + bias), less what there is none of.
Descriptor operation_graph(Handle handle, const ConvKey &key);

}  // namespace pt2::cudnn
