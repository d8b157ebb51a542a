#include "depthwise.h"

#include <ATen/ops/_conv_depthwise2d.h>
#include <ATen/ops/conv2d.h>

#include "../fallback.h"
#include "convolution.h"

namespace pt2::cudnn {

using at::Tensor;

namespace {

// Undefined where cuDNN's first suggestion compiles its kernel, or where there is no plan.
Tensor planned_alone(const Call &call) {
  const OptionalTensor none;
  auto result = planned({call.input, call.weight, none, none, call.stride, call.padding, call.dilation,
                         call.groups, false, false});
  if (result.defined() && call.bias) {
    result.add_(call.bias->view({1, -1, 1, 1}));
  }
  return result;
}

// libtorch's own kernel takes contiguous memory; it is not for half precision, where it takes longer than all
// that cuDNN has.
bool is_for_own_kernel(const Call &call) {
  return is_for_plans(call) && call.input.scalar_type() == at::kFloat;
}

Tensor by_own_kernel(const Call &call) {
  auto format = call.input.suggest_memory_format();
  auto result =
      at::_conv_depthwise2d(call.input.contiguous(), call.weight.contiguous(), call.weight.sizes().slice(2),
                            call.bias, call.stride, call.padding, call.dilation);
  return result.contiguous(format);
}

Tensor by_libtorch(const Call &call) {
  if (is_for_own_kernel(call)) {
    return by_own_kernel(call);
  }
  return at::conv2d(call.input, call.weight, call.bias, call.stride, call.padding, call.dilation,
                    call.groups);
}

}  // namespace

bool is_depthwise(const Call &call) {
  return call.groups > 1 && call.weight.dim() == 4 && call.weight.size(1) == 1 && call.input.dim() == 4 &&
         call.input.size(1) == call.groups;
}

Tensor depthwise(const Call &call) {
  auto result = fused_or([&] { return planned_alone(call); }, [&] { return by_libtorch(call); });
  return with_epilogue(std::move(result), call);
}

}  // namespace pt2::cudnn
