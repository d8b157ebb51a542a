#include "convolution.h"

#include <ATen/ATen.h>

#include "lane.h"
#include "planning.h"

namespace pt2::cudnn {

using at::IntArrayRef;
using at::Tensor;

namespace {

// The same by libtorch's operators, for what cuDNN has no plan for, and for the errors of bad arguments.
Tensor composed(const Call &call) {
  auto result =
      at::conv2d(call.input, call.weight, call.bias, call.stride, call.padding, call.dilation, call.groups);
  if (call.other) {
    result = result.add_(*call.other);
  }
  return call.relu ? result.relu_() : result;
}

Tensor cudnn_convolution(const Tensor &input, const Tensor &weight, const OptionalTensor &bias,
                         const OptionalTensor &other, IntArrayRef stride, IntArrayRef padding,
                         IntArrayRef dilation, int64_t groups, bool relu, bool tuned) {
  return convolved({input, weight, bias, other, stride, padding, dilation, groups, relu, tuned});
}

}  // namespace

Tensor convolved(const Call &call) {
  if (!is_for_plans(call)) {
    return composed(call);
  }
  auto output = at::empty(output_sizes(call), call.input.options().memory_format(format_of(call)));
  auto tensors = tensors_of(call, std::move(output));
  bool ran = run(call, tensors, [&](const Plan &plan) { return workspace(plan, tensors); });
  return ran ? tensors.output : composed(call);
}

bool run(const Call &call, const Tensors &tensors, c10::function_ref<Tensor(const Plan &)> memory) {
  auto problem = problem_of(call, tensors);
  Turn turn(problem.device);
  const auto *plan = turn->plan_or(problem, [&] { return plan_for(turn, problem, tensors); });
  if (plan) {
    execute(turn, *plan, tensors, memory(*plan));
  }
  return plan != nullptr;
}

Family convolutions() {
  return {
      {"pt2::cudnn_convolution(Tensor input, Tensor weight, Tensor? bias, Tensor? other, int[] stride, "
       "int[] padding, int[] dilation, int groups, bool relu, bool tuned) -> Tensor",
       boxed<cudnn_convolution>},
  };
}

}  // namespace pt2::cudnn
