#include "fold.h"

#include <ATen/ATen.h>

using at::Tensor;
using at::TensorList;

namespace {

// One after the other on the host, wide enough to compute with. Copied one by one, hundreds of short vectors
// wait for the driver hundreds of times.
Tensor joined(TensorList parts) {
  auto whole = (parts.size() == 1 ? parts.front() : at::cat(parts)).to(at::kCPU);
  bool narrow = whole.scalar_type() == at::kHalf || whole.scalar_type() == at::kBFloat16;
  return narrow ? whole.to(at::kFloat) : whole;
}

// The factors `weight / sqrt(variance + epsilon)` and the shifts `bias + (old_bias - mean) * factor` of
// norms, one after the other; an empty list stands for ones or zeros. There are hundreds of short vectors,
// and on a GPU the first use of each kernel costs 10 to 20 ms: so they are computed on the host. Shifts are
// rounded to `dtype` once.
std::vector<Tensor> fold_norms(TensorList variances, TensorList means, TensorList weights, TensorList biases,
                               TensorList old_biases, double epsilon, at::ScalarType dtype) {
  TORCH_CHECK(!variances.empty() && !means.empty(), "there is no norm");
  const auto device = variances.front().device();
  auto factors = at::rsqrt(joined(variances) + epsilon);
  if (!weights.empty()) {
    factors = joined(weights) * factors;
  }
  auto mean = joined(means);
  auto centre = old_biases.empty() ? -mean : joined(old_biases) - mean;
  auto shifts = biases.empty() ? centre * factors : at::addcmul(joined(biases), centre, factors);
  return {factors.to(device), shifts.to(dtype).to(device)};
}

// A product in the first side's type, rounded once, and in a memory order of choice.
Tensor product(const Tensor &self, const Tensor &other, at::MemoryFormat memory_format) {
  auto result = at::empty(self.sizes(), self.options(), memory_format);
  return at::mul_out(result, self, other);
}

}  // namespace

pt2::Family pt2::folds() {
  return {
      {"pt2::fold_norms(Tensor[] variances, Tensor[] means, Tensor[] weights, Tensor[] biases, "
       "Tensor[] old_biases, float epsilon, ScalarType dtype) -> Tensor[]",
       boxed<fold_norms>},
      {"pt2::product(Tensor self, Tensor other, MemoryFormat memory_format) -> Tensor", boxed<product>},
  };
}
