#include <ATen/ATen.h>

#include "portable.h"

using at::IntArrayRef;
using at::Tensor;

namespace {
namespace strides_ops {

void check(const Tensor &self, IntArrayRef order) {
  std::vector<bool> seen(order.size());
  TORCH_CHECK(static_cast<int64_t>(order.size()) == self.dim(), "an order of ", order.size(),
              " dimensions for a tensor of ", self.dim());
  for (const auto dimension : order) {
    TORCH_CHECK(dimension >= 0 && dimension < self.dim() && !seen[dimension],
                "not an order of dimensions: ", order);
    seen[dimension] = true;
  }
}

bool is_dense(const Tensor &self, IntArrayRef order) {
  int64_t expected = 1;
  for (auto dimension = order.rbegin(); dimension != order.rend(); ++dimension) {
    if (self.size(*dimension) != 1 && self.stride(*dimension) != expected) {
      return false;
    }
    expected *= self.size(*dimension);
  }
  return true;
}

// Returns a dense tensor whose dimensions follow each other in `order`, outermost first. Copies
// only if the strides differ.
Tensor restride(const Tensor &self, IntArrayRef order) {
  check(self, order);
  if (self.numel() == 0 || is_dense(self, order)) {
    return self;
  }
  return at::empty_permuted(self.sizes(), order, self.options()).copy_(self);
}

}  // namespace strides_ops
}  // namespace

pt2::Family pt2::portable::strides() {
  using namespace strides_ops;
  return {{"pt2::restride(Tensor(a) self, int[] order) -> Tensor(a)", boxed<restride>}};
}
