#include "quantized.h"

using at::ScalarType;
using at::Tensor;

namespace {
namespace per_token_ops {

void check_count(const Tensor &input, const Tensor &parameters, const char *name) {
  TORCH_CHECK(input.dim() > 0, "takes tokens along the last dimension, the tensor has none");
  int64_t tokens = 1;
  for (int64_t dimension = 0; dimension + 1 < input.dim(); ++dimension) tokens *= input.size(dimension);
  TORCH_CHECK(tokens == parameters.numel(), tokens, " tokens have ", parameters.numel(), " ", name);
}

Tensor quantize(const Tensor &input, const Tensor &scales, const Tensor &zero_points, int64_t quant_min,
                int64_t quant_max, ScalarType dtype) {
  pt2::quantized::check_bounds(quant_min, quant_max, dtype);
  check_count(input, scales, "scales");
  check_count(input, zero_points, "zero_points");
  auto scaled = input.mul(pt2::quantized::inverse(scales)).add(zero_points).round();
  return scaled.clamp(quant_min, quant_max).to(dtype);
}

Tensor dequantize(const Tensor &input, const Tensor &scales, const Tensor &zero_points, int64_t, int64_t,
                  ScalarType, ScalarType output_dtype) {
  return input.sub(zero_points).mul(scales).to(output_dtype);
}

}  // namespace per_token_ops
}  // namespace

pt2::Family pt2::quantized::per_token() {
  using namespace per_token_ops;
  return {
      {"quantized_decomposed::quantize_per_token(Tensor input, Tensor scales, Tensor zero_points, "
       "int quant_min, int quant_max, ScalarType dtype) -> Tensor",
       boxed<quantize>},
      {"quantized_decomposed::dequantize_per_token(Tensor input, Tensor scales, Tensor zero_points, "
       "int quant_min, int quant_max, ScalarType dtype, ScalarType output_dtype) -> Tensor",
       boxed<dequantize>},
  };
}
