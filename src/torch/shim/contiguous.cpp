#include "contiguous.h"

#include <ATen/core/Tensor.h>

namespace {

// As libtorch's, but dimensions of size one have the strides that a new tensor would have. libtorch's returns
// a channels-last tensor of one pixel as it is, and operators tell formats apart by those strides.
at::Tensor contiguous(const at::Tensor &self) {
  auto dense = self.contiguous();
  std::vector<int64_t> strides(static_cast<size_t>(dense.dim()));
  int64_t stride = 1;
  for (size_t dim = strides.size(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= std::max<int64_t>(dense.size(static_cast<int64_t>(dim)), 1);
  }
  return dense.strides() == at::IntArrayRef(strides) ? dense : dense.as_strided(dense.sizes(), strides);
}

}  // namespace

pt2::Family pt2::contiguous() {
  return {{"pt2::contiguous(Tensor(a) self) -> Tensor(a)", boxed<::contiguous>}};
}
