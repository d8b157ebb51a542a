#include "depthwise.h"

#include "convolution.h"

namespace pt2::cudnn {

using at::Tensor;

bool is_depthwise(const ConvArgs &call) {
  return call.groups > 1 && call.input.dim() == 4 && call.weight.dim() == 4 && call.weight.size(1) == 1;
}

Tensor planned_alone(const ConvArgs &call) {
  const OptionalTensor none;
  auto result = run_plan({call.input, call.weight, none, none, call.stride, call.padding, call.dilation,
                          call.groups, false, call.autotune});
  if (!result.defined()) {
    return result;
  }
  if (call.bias) {
    result.add_(call.bias->view({1, -1, 1, 1}));
  }
  return with_epilogue(result, call);
}

}  // namespace pt2::cudnn
