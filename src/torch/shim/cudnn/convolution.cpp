#include "convolution.h"

#include <ATen/ATen.h>

#include "../fallback.h"
#include "lane.h"
#include "planning.h"

namespace pt2::cudnn {

using at::IntArrayRef;
using at::Tensor;

namespace {

// The same by libtorch's operators, for what cuDNN has no plan for, and for the errors of bad arguments.
// Channels-last, libtorch would give convolutions of groups to engines that compile their kernels first;
// contiguous, depthwise ones go to its own kernel.
Tensor composed(const Call &call) {
  bool grouped = call.groups > 1;
  auto input = grouped ? call.input.contiguous() : call.input;
  auto weight = grouped ? call.weight.contiguous() : call.weight;
  auto result = at::conv2d(input, weight, call.bias, call.stride, call.padding, call.dilation, call.groups);
  if (call.other) {
    result = result.add_(*call.other);
  }
  return call.relu ? result.relu_() : result;
}

// Undefined where cuDNN has no plan for it.
Tensor planned(const Call &call) {
  auto tensors = tensors_of(call, output_sizes(call));
  auto problem = problem_of(call, tensors);
  Turn turn(problem.device);
  const auto *plan = turn->plan_or(problem, [&] { return plan_for(turn, problem, tensors); });
  if (!plan) {
    return {};
  }
  execute(turn, *plan, tensors, workspace(*plan, tensors));
  return tensors.output;
}

// The convolution by cuDNN and the rest by libtorch: few engines for groups do both.
Tensor planned_alone(const Call &call) {
  auto result = planned({call.input, call.weight, std::nullopt, std::nullopt, call.stride, call.padding,
                         call.dilation, call.groups, false, call.tuned});
  if (result.defined()) {
    if (call.bias) result.add_(call.bias->view({1, -1, 1, 1}));
    if (call.other) result.add_(*call.other);
    if (call.relu) result.relu_();
  }
  return result;
}

Tensor fused(const Call &call) {
  if (!is_for_plans(call)) {
    return {};
  }
  auto result = planned(call);
  bool more = call.bias || call.other || call.relu;
  return result.defined() || call.groups == 1 || !more ? result : planned_alone(call);
}

Tensor cudnn_convolution(const Tensor &input, const Tensor &weight, const OptionalTensor &bias,
                         const OptionalTensor &other, IntArrayRef stride, IntArrayRef padding,
                         IntArrayRef dilation, int64_t groups, bool relu, bool tuned) {
  return convolved({input, weight, bias, other, stride, padding, dilation, groups, relu, tuned});
}

}  // namespace

Tensor convolved(const Call &call) {
  return fused_or([&] { return fused(call); }, [&] { return composed(call); });
}

Family convolutions() {
  return {
      {"pt2::cudnn_convolution(Tensor input, Tensor weight, Tensor? bias, Tensor? other, int[] stride, "
       "int[] padding, int[] dilation, int groups, bool relu, bool tuned) -> Tensor",
       boxed<cudnn_convolution>},
  };
}

}  // namespace pt2::cudnn
