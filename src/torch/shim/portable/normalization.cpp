#include <ATen/ATen.h>

#include <array>
#include <tuple>

#include "portable.h"

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

namespace {

using Three = std::tuple<Tensor, Tensor, Tensor>;
using Four = std::tuple<Tensor, Tensor, Tensor, Tensor>;

Three batch_norm(const Tensor &input, const Tensor &weight, const OptionalTensor &bias,
                 const OptionalTensor &mean, const OptionalTensor &variance, bool training, double momentum,
                 double epsilon) {
  return at::native_batch_norm(input, weight, bias, mean, variance, training, momentum, epsilon);
}

Four cudnn(const Tensor &input, const Tensor &weight, const OptionalTensor &bias, const OptionalTensor &mean,
           const OptionalTensor &variance, bool training, double momentum, double epsilon) {
  auto [output, saved_mean, saved_scale] =
      batch_norm(input, weight, bias, mean, variance, training, momentum, epsilon);
  return {output, saved_mean, saved_scale, at::empty({0}, input.options().dtype(at::kByte))};
}

Three batch_norm_backward(const Tensor &input, const Tensor &grad, const Tensor &weight,
                          const OptionalTensor &mean, const OptionalTensor &variance,
                          const OptionalTensor &saved_mean, const OptionalTensor &saved_scale,
                          double epsilon) {
  return at::native_batch_norm_backward(grad, input, weight, mean, variance, saved_mean, saved_scale,
                                        /*train=*/true, epsilon, {true, true, true});
}

Three cudnn_backward(const Tensor &input, const Tensor &grad, const Tensor &weight,
                     const OptionalTensor &mean, const OptionalTensor &variance,
                     const OptionalTensor &saved_mean, const OptionalTensor &saved_scale, double epsilon,
                     const Tensor &) {
  return batch_norm_backward(input, grad, weight, mean, variance, saved_mean, saved_scale, epsilon);
}

}  // namespace

#define PT2_ARGUMENTS                                                                                    \
  "(Tensor input, Tensor weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var, bool " \
  "training, "                                                                                           \
  "float exponential_average_factor, float epsilon) -> "
#define PT2_BACKWARD                                                                              \
  "(Tensor input, Tensor grad_output, Tensor weight, Tensor? running_mean, Tensor? running_var, " \
  "Tensor? save_mean, Tensor? save_var, float epsilon"

// The statistics are marked as written, which the schemas in `aten` leave out.
pt2::Family pt2::portable::normalizations() {
  return {
      {"pt2::cudnn_batch_norm" PT2_ARGUMENTS "(Tensor, Tensor, Tensor, Tensor)", boxed<cudnn>},
      {"pt2::miopen_batch_norm" PT2_ARGUMENTS "(Tensor, Tensor, Tensor)", boxed<batch_norm>},
      {"pt2::cudnn_batch_norm_backward" PT2_BACKWARD ", Tensor reserveSpace) -> (Tensor, Tensor, Tensor)",
       boxed<cudnn_backward>},
      {"pt2::miopen_batch_norm_backward" PT2_BACKWARD ") -> (Tensor, Tensor, Tensor)",
       boxed<batch_norm_backward>},
  };
}
