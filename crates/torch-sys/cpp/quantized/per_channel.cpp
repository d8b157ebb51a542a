#include <utility>

#include "quantized.h"

using at::ScalarType;
using at::Tensor;

namespace {
namespace per_channel_ops {

// Separate quantisation for each slice along an axis.
struct Channels {
  // Permutation that brings the axis to the front; it is its own inverse.
  std::vector<int64_t> order;
  // Shape that broadcasts one number for each channel over the permuted tensor.
  std::vector<int64_t> shape;

  Channels(const Tensor &input, const Tensor &scales, int64_t axis) : shape(input.dim(), 1) {
    TORCH_CHECK(axis < input.dim() && axis >= -input.dim(), "axis ", axis, " of a tensor of ", input.dim(),
                " dimensions");
    for (int64_t dimension = 0; dimension < input.dim(); ++dimension) order.push_back(dimension);
    std::swap(order[0], order[axis < 0 ? axis + input.dim() : axis]);
    shape[0] = scales.size(0);
  }
};

Tensor quantize(const Tensor &given, const Tensor &scales, const Tensor &zero_points, int64_t axis,
                int64_t quant_min, int64_t quant_max, ScalarType dtype) {
  auto input = pt2::quantized::widened(given);
  Channels channels(input, scales, axis);
  pt2::quantized::check_bounds(quant_min, quant_max, dtype);
  auto inverse = pt2::quantized::inverse(scales.view(channels.shape));
  auto scaled = at::round(input.permute(channels.order).mul(inverse)).add(zero_points.view(channels.shape));
  return at::clamp(scaled, quant_min, quant_max).permute(channels.order).to(dtype);
}

Tensor dequantize(const Tensor &input, const Tensor &scales, const std::optional<Tensor> &zero_points,
                  int64_t axis, int64_t quant_min, int64_t quant_max, ScalarType dtype,
                  std::optional<ScalarType> out_dtype) {
  TORCH_CHECK(input.scalar_type() == dtype, "takes ", dtype, ", not ", input.scalar_type());
  Channels channels(input, scales, axis);
  pt2::quantized::check_bounds(quant_min, quant_max, dtype);
  auto values = input.permute(channels.order);
  if (zero_points) {
    values = values.sub(zero_points->view(channels.shape));
  }
  return values.mul(scales.view(channels.shape)).to(out_dtype.value_or(at::kFloat)).permute(channels.order);
}

Tensor broadcast(Tensor parameter, int64_t axis, int64_t dimensions) {
  for (int64_t dimension = 0; dimension < dimensions; ++dimension) {
    if (dimension != axis) {
      parameter = parameter.unsqueeze(dimension);
    }
  }
  return parameter;
}

Tensor fake_quantize(const Tensor &input, const Tensor &given_scales, const Tensor &given_zero_points,
                     int64_t axis, int64_t quant_min, int64_t quant_max) {
  TORCH_CHECK(input.scalar_type() == at::kFloat, "takes float32, not ", input.scalar_type());
  TORCH_CHECK(axis >= 0 && axis < input.dim(), "axis ", axis, " of a tensor of ", input.dim(), " dimensions");
  auto scales = broadcast(given_scales.to(at::kFloat), axis, input.dim());
  auto zero_points = broadcast(given_zero_points.to(at::kInt), axis, input.dim());
  auto scaled = at::round(input.mul(pt2::quantized::inverse(scales))).add(zero_points);
  return at::clamp(scaled, quant_min, quant_max).sub(zero_points).mul(scales);
}

}  // namespace per_channel_ops
}  // namespace

pt2::Family pt2::quantized::per_channel() {
  using namespace per_channel_ops;
  return {
      {"quantized_decomposed::quantize_per_channel(Tensor input, Tensor scales, Tensor zero_points, int "
       "axis, "
       "int quant_min, int quant_max, ScalarType dtype) -> Tensor",
       boxed<quantize>},
      {"quantized_decomposed::dequantize_per_channel(Tensor input, Tensor scales, Tensor? zero_points, "
       "int axis, int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
       boxed<dequantize>},
      {"quantized_decomposed::fake_quant_per_channel(Tensor input, Tensor scales, Tensor zero_points, int "
       "axis, "
       "int quant_min, int quant_max) -> Tensor",
       boxed<fake_quantize>},
  };
}
