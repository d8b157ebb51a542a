#include "reorder.h"

#include <ATen/ExpandUtils.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/mul.h>

#include "scratch.h"

using at::Tensor;

namespace {

bool is_float_on_cpu(const Tensor &tensor) {
  return tensor.is_cpu() && tensor.layout() == at::kStrided && tensor.scalar_type() == at::kFloat;
}

// Scratch memory for filters of these sizes, channels innermost. oneDNN 3.x reorders from there several times
// as fast as from rows of pixels.
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

// The weight, multiplied if there are factors, in an order that suits what follows.
Tensor prepared(const Tensor &weight, const std::optional<Tensor> &factors) {
  if (weight.dim() < 3 || !is_float_on_cpu(weight) || (factors && !is_float_on_cpu(*factors))) {
    return factors ? at::mul(weight, *factors) : weight;
  }
  if (!factors) {
    bool pixels = c10::multiply_integers(weight.sizes().slice(2)) > 1;
    return pixels ? innermost(weight.sizes()).copy_(weight) : weight;
  }
  TORCH_CHECK(at::infer_size(weight.sizes(), factors->sizes()) == weight.sizes(), "factors of sizes ",
              factors->sizes(), " do not fit a weight of sizes ", weight.sizes());
  auto product = innermost(weight.sizes());
  return at::mul_out(product, weight, *factors);
}

// Its arguments are those of oneDNN's operator, but for the factors after the first.
void reorder_convolution_weight(torch::jit::Stack &stack) {
  static const auto reorder =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "");
  constexpr size_t ARGUMENTS = 7;
  auto self = stack.end() - ARGUMENTS, factors = self + 1;
  *self = prepared(self->toTensor(), factors->toOptional<Tensor>());
  stack.erase(factors);
  reorder.callBoxed(&stack);
}

}  // namespace

pt2::Family pt2::reorder() {
  return {
      {"pt2::reorder_convolution_weight(Tensor self, Tensor? factors, int[] padding, int[] stride, "
       "int[] dilation, int groups, int[] input_size) -> Tensor",
       reorder_convolution_weight}};
}
