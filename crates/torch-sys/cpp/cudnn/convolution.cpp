#include "convolution.h"

#include <ATen/ATen.h>

#include "../fused_fallback.h"
#include "depthwise.h"
#include "plan_selection.h"
#include "stream_handle.h"

namespace pt2::cudnn {

using at::IntArrayRef;
using at::Tensor;

namespace {

// Computes the call by libtorch's operators: for problems without a cuDNN plan, and for the errors
// of bad arguments.
Tensor composed(const ConvArgs &call) {
  auto result =
      at::conv2d(call.input, call.weight, call.bias, call.stride, call.padding, call.dilation, call.groups);
  return with_epilogue(result, call);
}

Tensor cudnn_convolution(const Tensor &input, const Tensor &weight, const OptionalTensor &bias,
                         const OptionalTensor &other, IntArrayRef stride, IntArrayRef padding,
                         IntArrayRef dilation, int64_t groups, bool relu, bool tuned) {
  return convolved({input, weight, bias, other, stride, padding, dilation, groups, relu, tuned});
}

}  // namespace

Tensor run_plan(const ConvArgs &call) {
  if (!is_supported(call)) {
    return {};
  }
  auto tensors = tensors_of(call, output_sizes(call));
  auto key = key_of(call, tensors);
  HandleLock turn(key.device);
  const auto *plan = turn->plan_or(key, [&] { return plan_for(turn, key, tensors); });
  if (!plan) {
    return {};
  }
  execute(turn, *plan, tensors, workspace(*plan, tensors));
  return tensors.output;
}

Tensor with_epilogue(Tensor result, const ConvArgs &call) {
  if (call.other) {
    result.add_(*call.other);
  }
  return call.relu ? result.relu_() : result;
}

Tensor convolved(const ConvArgs &call) {
  const auto fused = [&] { return is_depthwise(call) ? planned_alone(call) : run_plan(call); };
  return fused_or(fused, [&] { return composed(call); });
}

Family convolutions() {
  return {
      {"pt2::cudnn_convolution(Tensor input, Tensor weight, Tensor? bias, Tensor? other, int[] stride, "
       "int[] padding, int[] dilation, int groups, bool relu, bool tuned) -> Tensor",
       boxed<cudnn_convolution>},
  };
}

}  // namespace pt2::cudnn
