#include <ATen/ATen.h>

#include <array>
#include <tuple>

#include "portable.h"

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

namespace {
namespace normalization_ops {

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

at::ScalarType wide(const Tensor &input) {
  return input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

OptionalTensor widened(const OptionalTensor &tensor, at::ScalarType type) {
  return tensor && tensor->defined() ? OptionalTensor(tensor->to(type)) : tensor;
}

// The CPU accepts weights of another dtype than the input's.
Three layer_norm(const Tensor &input, at::SymIntArrayRef sizes, const OptionalTensor &weight,
                 const OptionalTensor &bias, double epsilon) {
  const auto type = wide(input);
  auto [output, mean, scale] = at::native_layer_norm_symint(input.to(type), sizes, widened(weight, type),
                                                            widened(bias, type), epsilon);
  return {output.to(input.scalar_type()), mean, scale};
}

// CUDA's kernel takes contiguous inputs only, and weights of the input's dtype.
Three group_norm(const Tensor &input, const OptionalTensor &weight, const OptionalTensor &bias, int64_t n,
                 int64_t c, int64_t size, int64_t groups, double epsilon) {
  const auto same = [&](const OptionalTensor &tensor) {
    return !tensor || !tensor->defined() || tensor->scalar_type() == input.scalar_type();
  };
  const auto type = same(weight) && same(bias) ? input.scalar_type() : wide(input);
  auto [output, mean, scale] = at::native_group_norm(input.to(type).contiguous(), widened(weight, type),
                                                     widened(bias, type), n, c, size, groups, epsilon);
  return {output.to(input.scalar_type()), mean, scale};
}

Three group_norm_backward(const Tensor &grad, const Tensor &input, const Tensor &mean, const Tensor &scale,
                          const OptionalTensor &weight, int64_t n, int64_t c, int64_t size, int64_t groups,
                          std::array<bool, 3> wanted) {
  return at::native_group_norm_backward(grad.contiguous(), input.contiguous(), mean, scale, weight, n, c,
                                        size, groups, wanted);
}

// CUDA's kernel can return float32 for float16.
Tensor softmax(const Tensor &self, int64_t dim, bool half_to_float) {
  return at::_softmax(half_to_float ? self.to(at::kFloat) : self, dim, false);
}

Tensor log_softmax(const Tensor &self, int64_t dim, bool half_to_float) {
  return at::_log_softmax(half_to_float ? self.to(at::kFloat) : self, dim, false);
}

Tensor softmax_backward(const Tensor &grad, const Tensor &output, int64_t dim, at::ScalarType type) {
  return at::_softmax_backward_data(grad, output, dim, grad.scalar_type()).to(type);
}

Tensor log_softmax_backward(const Tensor &grad, const Tensor &output, int64_t dim, at::ScalarType type) {
  return at::_log_softmax_backward_data(grad, output, dim, grad.scalar_type()).to(type);
}

}  // namespace normalization_ops
}  // namespace

#define PT2_ARGUMENTS                                                                                    \
  "(Tensor input, Tensor weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var, bool " \
  "training, "                                                                                           \
  "float exponential_average_factor, float epsilon) -> "
#define PT2_BACKWARD                                                                              \
  "(Tensor input, Tensor grad_output, Tensor weight, Tensor? running_mean, Tensor? running_var, " \
  "Tensor? save_mean, Tensor? save_var, float epsilon"

// The statistics are marked as written, which the schemas in `aten` omit.
pt2::Family pt2::portable::normalizations() {
  using namespace normalization_ops;
  return {
      {"pt2_portable::cudnn_batch_norm" PT2_ARGUMENTS "(Tensor, Tensor, Tensor, Tensor)", boxed<cudnn>},
      {"pt2_portable::miopen_batch_norm" PT2_ARGUMENTS "(Tensor, Tensor, Tensor)", boxed<batch_norm>},
      {"pt2_portable::cudnn_batch_norm_backward" PT2_BACKWARD
       ", Tensor reserveSpace) -> (Tensor, Tensor, Tensor)",
       boxed<cudnn_backward>},
      {"pt2_portable::miopen_batch_norm_backward" PT2_BACKWARD ") -> (Tensor, Tensor, Tensor)",
       boxed<batch_norm_backward>},
      {"pt2_portable::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? "
       "bias, "
       "float eps) -> (Tensor, Tensor, Tensor)",
       boxed<layer_norm>},
      {"pt2_portable::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, "
       "SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
       boxed<group_norm>},
      {"pt2_portable::native_group_norm_backward(Tensor grad_out, Tensor input, Tensor mean, Tensor rstd, "
       "Tensor? weight, SymInt N, SymInt C, SymInt HxW, int group, bool[3] output_mask) -> (Tensor, Tensor, "
       "Tensor)",
       boxed<group_norm_backward>},
      {"pt2_portable::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", boxed<softmax>},
      {"pt2_portable::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", boxed<log_softmax>},
      {"pt2_portable::_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType "
       "input_dtype) "
       "-> Tensor",
       boxed<softmax_backward>},
      {"pt2_portable::_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, "
       "ScalarType input_dtype) -> Tensor",
       boxed<log_softmax_backward>},
  };
}
