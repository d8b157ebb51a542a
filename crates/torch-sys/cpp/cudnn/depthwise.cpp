#include "depthwise.h"

#include <ATen/ops/conv2d.h>

#include "../fused_fallback.h"
#include "convolution.h"

namespace pt2::cudnn {

using at::Tensor;

namespace {

// Undefined where cuDNN has no plan.
Tensor planned_alone(const ConvArgs &call) {
  const OptionalTensor none;
  auto result = run_plan({call.input, call.weight, none, none, call.stride, call.padding, call.dilation,
                          call.groups, false, call.autotune});
  if (result.defined() && call.bias) {
    result.add_(call.bias->view({1, -1, 1, 1}));
  }
  return result;
}

}  // namespace

bool is_depthwise(const ConvArgs &call) {
  return call.groups > 1 && call.input.dim() == 4 && call.weight.dim() == 4 && call.weight.size(1) == 1;
}

Tensor depthwise(const ConvArgs &call) {
  auto composed = [&] {
    return at::conv2d(call.input, call.weight, call.bias, call.stride, call.padding, call.dilation,
                      call.groups);
  };
  return with_epilogue(fused_or([&] { return planned_alone(call); }, composed), call);
}

}  // namespace pt2::cudnn
