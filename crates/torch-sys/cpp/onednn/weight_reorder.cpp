#include "weight_reorder.h"

#include <ATen/ExpandUtils.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/mul.h>
#include <c10/core/CPUAllocator.h>

#include "../fused_fallback.h"
#include "../scratch.h"

using at::Tensor;

namespace {

bool is_float_on_cpu(const Tensor &tensor) {
  return tensor.is_cpu() && tensor.layout() == at::kStrided && tensor.scalar_type() == at::kFloat;
}

// Returns scratch memory for filters of these sizes, in channels-last format. oneDNN 3.x reorders
// from it several times faster than from contiguous memory.
Tensor innermost(at::IntArrayRef sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  const auto next = [&](size_t dimension) {
    strides[dimension] = stride;
    stride *= sizes[dimension];
  };
  next(1);
  for (size_t dimension = sizes.size() - 1; dimension > 1; --dimension) next(dimension);
  next(0);
  return pt2::scratch(stride).as_strided(sizes, strides);
}

// Returns the weight, multiplied by the factors if there are any, in a format that suits the
// reorder.
Tensor prepared(const Tensor &weight, const std::optional<Tensor> &factors) {
  if (weight.dim() < 3 || !is_float_on_cpu(weight) || (factors && !is_float_on_cpu(*factors))) {
    return factors ? at::mul(weight, *factors) : weight;
  }
  if (!factors) {
    bool pixels = c10::multiply_integers(weight.sizes().slice(2)) > 1;
    return pixels ? innermost(weight.sizes()).copy_(weight) : weight;
  }
  auto product = innermost(weight.sizes());
  return at::mul_out(product, weight, *factors);
}

}  // namespace

Tensor pt2::ReorderRecipe::ordered_for(at::IntArrayRef input) const {
  static const auto reorder = c10::Dispatcher::singleton()
                                  .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
                                  .typed<Tensor(const Tensor &, at::IntArrayRef, at::IntArrayRef,
                                                at::IntArrayRef, int64_t, at::OptionalIntArrayRef)>();
  const auto from = prepared(weight, factors);
  // Scratch memory is reused. The convolution reports wrong sizes.
  return fused_or([&] { return reorder.call(from, padding, stride, dilation, groups, input); },
                  [&] { return from.clone(); });
}

void pt2::ReorderRecipe::check() const {
  TORCH_CHECK(weight.layout() == at::kStrided && weight.dim() >= 3, "a convolution's weight of ",
              weight.dim(), " dimensions");
  const auto spatial = static_cast<size_t>(weight.dim()) - 2;
  for (const auto *numbers : {&padding, &stride, &dilation}) {
    TORCH_CHECK(numbers->size() == spatial, numbers->size(), " numbers for ", spatial, " spatial dimensions");
  }
  TORCH_CHECK(!factors || at::infer_size(weight.sizes(), factors->sizes()) == weight.sizes(),
              "factors of sizes ", factors->sizes(), " do not fit a weight of sizes ", weight.sizes());
}

bool pt2::ReorderRecipe::is_only_copy() const {
  const auto &storage = weight.storage();
  return weight.use_count() == 1 && storage.use_count() == 1 &&
         storage.data_ptr().get_deleter() == c10::GetCPUAllocator()->raw_deleter();
}
