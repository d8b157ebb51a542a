#include "quantized.h"

using at::ScalarType;
using at::Tensor;

namespace {
namespace per_channel_group_ops {

// Returns the number of neighbours in a row that share a scale. A row with one scale is one group.
int64_t length(const Tensor &input, const Tensor &scales, int64_t group_size) {
  TORCH_CHECK(group_size > 1, "group_size is ", group_size, ", it must be greater than 1");
  TORCH_CHECK(input.dim() == 2, "takes a matrix, not a tensor of ", input.dim(), " dimensions");
  auto length = group_size > input.size(1) && scales.size(-1) == 1 ? input.size(1) : group_size;
  TORCH_CHECK(length > 0 && input.size(1) % length == 0, "rows of ", input.size(1),
              " are no whole number of groups of ", length);
  return length;
}

Tensor quantize(const Tensor &input, const Tensor &scales, const Tensor &zero_points, int64_t quant_min,
                int64_t quant_max, ScalarType dtype, int64_t group_size) {
  auto groups = input.reshape({-1, length(input, scales, group_size)});
  TORCH_CHECK(!at::isnan(groups).any().item().toBool(), "the input holds NaN");
  auto inverse = pt2::quantized::inverse(scales.reshape({-1, 1}));
  auto scaled = groups.mul(inverse).add(zero_points.reshape({-1, 1})).round();
  return scaled.clamp_(quant_min, quant_max).to(dtype).reshape_as(input);
}

Tensor dequantize(const Tensor &input, const Tensor &given_scales, const std::optional<Tensor> &zero_points,
                  int64_t, int64_t, ScalarType, int64_t group_size, ScalarType output_dtype) {
  auto groups = input.reshape({-1, length(input, given_scales, group_size)});
  auto scales = given_scales.reshape({-1, 1});
  auto zero_point =
      zero_points ? zero_points->reshape({-1, 1}) : at::zeros({}, scales.options().dtype(at::kInt));
  return groups.sub(zero_point).mul(scales).reshape_as(input).to(output_dtype);
}

}  // namespace per_channel_group_ops
}  // namespace

pt2::Family pt2::quantized::per_channel_group() {
  using namespace per_channel_group_ops;
  return {
      {"quantized_decomposed::quantize_per_channel_group(Tensor input, Tensor scales, Tensor zero_points, "
       "int quant_min, int quant_max, ScalarType dtype, int group_size) -> Tensor",
       boxed<quantize>},
      {"quantized_decomposed::dequantize_per_channel_group(Tensor input, Tensor scales, Tensor? zero_points, "
       "int quant_min, int quant_max, ScalarType dtype, int group_size, ScalarType output_dtype) -> Tensor",
       boxed<dequantize>},
  };
}
