#include "contiguous.h"

#include <algorithm>
#include <vector>

at::Tensor pt2::row_major(const at::Tensor &tensor) {
  auto dense = tensor.contiguous();
  std::vector<int64_t> strides(static_cast<size_t>(dense.dim()));
  int64_t stride = 1;
  for (size_t dim = strides.size(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= std::max<int64_t>(dense.size(static_cast<int64_t>(dim)), 1);
  }
  return dense.strides() == at::IntArrayRef(strides) ? dense : dense.as_strided(dense.sizes(), strides);
}

pt2::Family pt2::contiguous() { return {{"pt2::contiguous(Tensor(a) self) -> Tensor(a)", boxed<row_major>}}; }
