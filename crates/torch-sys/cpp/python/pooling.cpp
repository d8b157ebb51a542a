// Max pooling that records each value's position in its window (torch/_inductor/inductor_prims.py,
// 2.11).
#include <tuple>

#include "python.h"

using at::IntArrayRef;
using at::Tensor;

namespace {
namespace pooling_ops {

void check_dimensions(IntArrayRef kernel_size, std::initializer_list<IntArrayRef> others, int64_t rank) {
  auto count = kernel_size.size();
  TORCH_CHECK(count == 2 || count == 3, "takes windows of 2 or 3 dimensions, not ", count);
  for (auto other : others) TORCH_CHECK(other.size() == count, "takes ", count, " sizes, not ", other.size());
  TORCH_CHECK(rank >= static_cast<int64_t>(count), "takes a tensor of ", count, " dimensions or more, not ",
              rank);
}

// `_flattened_index_to_nd`
std::vector<Tensor> unflattened(Tensor indices, IntArrayRef widths) {
  std::vector<Tensor> coordinates;
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    int64_t inner = 1;
    for (auto width : widths.slice(i + 1)) inner *= width;
    auto outer = at::floor_divide(indices, at::Scalar(inner));
    coordinates.push_back(outer);
    indices = indices.sub(outer.mul(inner));
  }
  coordinates.push_back(indices);
  return coordinates;
}

// `_flatten_index`
Tensor flattened(const std::vector<Tensor> &coordinates, IntArrayRef widths) {
  auto result = coordinates[0];
  for (size_t i = 1; i < coordinates.size(); ++i) result = result.mul(widths[i]).add(coordinates[i]);
  return result;
}

// Returns the first position of each window in one dimension, as a tensor that broadcasts.
Tensor begins(const Tensor &like, int64_t dim, int64_t stride, int64_t padding) {
  std::vector<int64_t> sizes(static_cast<size_t>(like.dim()), 1);
  sizes[static_cast<size_t>(dim)] = -1;
  auto numbers = at::arange(like.size(dim), like.options().dtype(at::kLong));
  return numbers.view(sizes).mul(stride).sub(padding);
}

std::tuple<Tensor, Tensor> with_offsets(const Tensor &self, IntArrayRef kernel_size, IntArrayRef stride,
                                        IntArrayRef padding, IntArrayRef dilation, bool ceil_mode) {
  check_dimensions(kernel_size, {stride, padding, dilation}, self.dim());
  auto rank = static_cast<int64_t>(kernel_size.size());
  auto [values, indices] =
      rank == 2 ? at::max_pool2d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode)
                : at::max_pool3d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode);
  auto coordinates = unflattened(indices, self.sizes().slice(static_cast<size_t>(self.dim() - rank)));
  for (int64_t i = 0; i < rank; ++i) {
    auto at = static_cast<size_t>(i);
    auto begin = begins(indices, indices.dim() - rank + i, stride[at], padding[at]);
    coordinates[at] = at::floor_divide(coordinates[at].sub(begin), at::Scalar(dilation[at]));
  }
  return {values, flattened(coordinates, kernel_size).to(at::kChar)};
}

Tensor offsets_to_indices(const Tensor &self, IntArrayRef kernel_size, IntArrayRef input_size,
                          IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation) {
  check_dimensions(kernel_size, {input_size, stride, padding, dilation}, self.dim());
  auto rank = static_cast<int64_t>(kernel_size.size());
  auto coordinates = unflattened(self.to(at::kLong), kernel_size);
  for (int64_t i = 0; i < rank; ++i) {
    auto at = static_cast<size_t>(i);
    auto begin = begins(self, self.dim() - rank + i, stride[at], padding[at]);
    coordinates[at] = begin.add(coordinates[at].mul(dilation[at]));
  }
  return flattened(coordinates, input_size);
}

}  // namespace pooling_ops
}  // namespace

pt2::Family pt2::python::pooling() {
  using namespace pooling_ops;
  return {
      {"prims::_low_memory_max_pool_with_offsets(Tensor self, SymInt[] kernel_size, SymInt[] stride, "
       "SymInt[] "
       "padding, SymInt[] dilation, bool ceil_mode) -> (Tensor, Tensor)",
       boxed<with_offsets>},
      {"prims::_low_memory_max_pool_offsets_to_indices(Tensor self, SymInt[] kernel_size, SymInt[] "
       "input_size, "
       "SymInt[] stride, SymInt[] padding, SymInt[] dilation) -> Tensor",
       boxed<offsets_to_indices>},
  };
}
