#include "batch_norm_folding.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/ExpandUtils.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <cmath>

using at::Tensor;
using at::TensorList;

namespace {

// A norm's parameters come from the archive or its operators, so nothing about them is certain.
void check(const Tensor &tensor, int64_t length, const at::Device &device) {
  TORCH_CHECK(tensor.dim() == 1 && tensor.layout() == at::kStrided, "a norm's parameter of ", tensor.dim(),
              " dimensions");
  TORCH_CHECK(at::isFloatingType(tensor.scalar_type()) && tensor.element_size() > 1, "a norm's parameter of ",
              tensor.scalar_type());
  TORCH_CHECK(tensor.numel() == length, "a norm's parameter has ", tensor.numel(), " elements, its variance ",
              length);
  TORCH_CHECK(tensor.device() == device, "norms on different devices");
}

// Each list holds a vector for each norm, or is empty.
void check(const std::array<TensorList, 5> &lists) {
  const auto variances = lists[0];
  TORCH_CHECK(!variances.empty() && !lists[1].empty(), "there is no norm");
  for (const auto &list : lists) {
    TORCH_CHECK(list.empty() || list.size() == variances.size(), list.size(), " parameters of ",
                variances.size(), " norms");
    for (size_t i = 0; i < list.size(); ++i) {
      check(list[i], variances[i].numel(), variances.front().device());
    }
  }
}

// Joins vectors into one on the host. Copies from a GPU are queued: waiting for each of hundreds
// would cost a driver call each, and joining them on the GPU would load a kernel.
Tensor gathered(TensorList parts) {
  int64_t size = 0;
  for (const auto &part : parts) {
    size += part.numel();
  }
  const bool queued = !parts.empty() && parts.front().is_cuda();
  auto options = at::TensorOptions(parts.empty() ? at::kFloat : parts.front().scalar_type());
  auto whole = at::empty({size}, options.pinned_memory(queued), at::MemoryFormat::Contiguous);
  int64_t at = 0;
  for (const auto &part : parts) {
    whole.narrow(0, at, part.numel()).copy_(part, /*non_blocking=*/true);
    at += part.numel();
  }
  return whole;
}

void wait_for(const at::Device &device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

// Plain loops: libtorch would start its thread pool for a few thousand numbers.

template <class To>
void convert(const Tensor &from, Tensor &to) {
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, from.scalar_type(), "fold_norms", [&] {
    const auto *numbers = from.const_data_ptr<scalar_t>();
    std::transform(numbers, numbers + from.numel(), to.mutable_data_ptr<To>(),
                   [](scalar_t number) { return static_cast<To>(number); });
  });
}

Tensor typed(const Tensor &tensor, at::ScalarType type) {
  if (tensor.scalar_type() == type) {
    return tensor;
  }
  auto result = at::empty(tensor.sizes(), type, at::MemoryFormat::Contiguous);
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, type, "fold_norms",
                                  [&] { convert<scalar_t>(tensor, result); });
  return result;
}

template <class Number>
void fold(const std::array<Tensor, 5> &all, double epsilon, Tensor &factors, Tensor &shifts) {
  std::array<const Number *, 5> from;
  std::transform(all.begin(), all.end(), from.begin(),
                 [](const Tensor &each) { return each.numel() ? each.const_data_ptr<Number>() : nullptr; });
  const auto [variance, mean, weight, bias, old_bias] = from;
  auto *factor = factors.mutable_data_ptr<Number>(), *shift = shifts.mutable_data_ptr<Number>();
  for (int64_t i = 0; i < factors.numel(); ++i) {
    factor[i] = 1 / std::sqrt(variance[i] + static_cast<Number>(epsilon)) * (weight ? weight[i] : 1);
    shift[i] = ((old_bias ? old_bias[i] : 0) - mean[i]) * factor[i] + (bias ? bias[i] : 0);
  }
}

// Returns the factors `weight / sqrt(variance + epsilon)` and the shifts `bias + (old_bias - mean)
// * factor` of all norms, concatenated. An empty list stands for ones or zeros.
//
// Computed on the host: there are hundreds of short vectors, and on a GPU the first use of each
// kernel costs 10 to 20 ms. Shifts are rounded to `dtype` once.
std::vector<Tensor> fold_norms(TensorList variances, TensorList means, TensorList weights, TensorList biases,
                               TensorList old_biases, double epsilon, at::ScalarType dtype) {
  const std::array<TensorList, 5> lists = {variances, means, weights, biases, old_biases};
  check(lists);
  const auto device = variances.front().device();
  std::array<Tensor, 5> all;
  std::transform(lists.begin(), lists.end(), all.begin(), gathered);
  wait_for(device);
  const auto is_double = [](const Tensor &each) { return each.scalar_type() == at::kDouble; };
  const bool wide = std::any_of(all.begin(), all.end(), is_double);
  const auto type = wide ? at::kDouble : at::kFloat;
  for (auto &each : all) {
    each = typed(each, type);
  }
  auto factors = at::empty_like(all[0]), shifts = at::empty_like(all[0]);
  wide ? fold<double>(all, epsilon, factors, shifts) : fold<float>(all, epsilon, factors, shifts);
  return {factors.to(device), typed(shifts, dtype).to(device)};
}

// Returns the product in the dtype and sizes of `self`, rounded once, in the given memory format.
Tensor product(const Tensor &self, const Tensor &other, at::MemoryFormat memory_format) {
  TORCH_CHECK(self.layout() == at::kStrided && other.layout() == at::kStrided,
              "factors of a weight that is not dense");
  TORCH_CHECK(at::infer_size(self.sizes(), other.sizes()) == self.sizes(), "factors of sizes ", other.sizes(),
              " do not fit a weight of sizes ", self.sizes());
  auto result = at::empty_like(self, self.options().requires_grad(false), memory_format);
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
