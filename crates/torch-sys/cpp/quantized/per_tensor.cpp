#include "quantized.h"

using at::Scalar;
using at::ScalarType;
using at::Tensor;

namespace {
namespace per_tensor_ops {

Tensor quantized(const Tensor &input, const Scalar &scale, const Scalar &zero_point, const Scalar &quant_min,
                 const Scalar &quant_max, ScalarType dtype) {
  auto wide = pt2::quantized::widened(input);
  pt2::quantized::check_bounds(quant_min, quant_max, dtype);
  TORCH_CHECK(scale.toDouble() != 0.0, "the scale is zero");
  auto scaled = at::round(wide.mul(1.0 / scale.toDouble())).add(zero_point);
  return at::clamp(scaled, quant_min, quant_max).to(dtype);
}

Tensor dequantized(const Tensor &input, const Scalar &scale, const Scalar &zero_point, ScalarType dtype,
                   std::optional<ScalarType> out_dtype) {
  TORCH_CHECK(input.scalar_type() == dtype, "takes ", dtype, ", not ", input.scalar_type());
  TORCH_CHECK(pt2::quantized::holds_quantized(dtype), "no values are quantised to ", dtype);
  return input.to(out_dtype.value_or(at::kFloat)).sub(zero_point).mul(scale);
}

Scalar only(const Tensor &tensor, const char *name) {
  TORCH_CHECK(tensor.numel() == 1, name, " has ", tensor.numel(), " elements, it must have one");
  return tensor.item();
}

Tensor quantize(const Tensor &input, double scale, int64_t zero_point, int64_t quant_min, int64_t quant_max,
                ScalarType dtype) {
  return quantized(input, scale, zero_point, quant_min, quant_max, dtype);
}

Tensor quantize_tensor(const Tensor &input, const Tensor &scale, const Tensor &zero_point, int64_t quant_min,
                       int64_t quant_max, ScalarType dtype) {
  return quantized(input, only(scale, "scale"), only(zero_point, "zero_point"), quant_min, quant_max, dtype);
}

Tensor quantize_tensor2(const Tensor &input, const Tensor &scale, const Tensor &zero_point,
                        const Tensor &quant_min, const Tensor &quant_max, ScalarType dtype) {
  return quantized(input, only(scale, "scale"), only(zero_point, "zero_point"), quant_min.item(),
                   quant_max.item(), dtype);
}

Tensor dequantize(const Tensor &input, double scale, int64_t zero_point, int64_t, int64_t, ScalarType dtype,
                  std::optional<ScalarType> out_dtype) {
  return dequantized(input, scale, zero_point, dtype, out_dtype);
}

Tensor dequantize_tensor(const Tensor &input, const Tensor &scale, const Tensor &zero_point, int64_t, int64_t,
                         ScalarType dtype, std::optional<ScalarType> out_dtype) {
  return dequantized(input, only(scale, "scale"), only(zero_point, "zero_point"), dtype, out_dtype);
}

Tensor dequantize_tensor2(const Tensor &input, const Tensor &scale, const Tensor &zero_point, const Tensor &,
                          const Tensor &, ScalarType dtype, std::optional<ScalarType> out_dtype) {
  return dequantized(input, only(scale, "scale"), only(zero_point, "zero_point"), dtype, out_dtype);
}

}  // namespace per_tensor_ops
}  // namespace

pt2::Family pt2::quantized::per_tensor() {
  using namespace per_tensor_ops;
  return {
      {"quantized_decomposed::quantize_per_tensor(Tensor input, float scale, int zero_point, int quant_min, "
       "int quant_max, ScalarType dtype) -> Tensor",
       boxed<quantize>},
      {"quantized_decomposed::quantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, "
       "int quant_min, int quant_max, ScalarType dtype) -> Tensor",
       boxed<quantize_tensor>},
      {"quantized_decomposed::quantize_per_tensor.tensor2(Tensor input, Tensor scale, Tensor zero_point, "
       "Tensor quant_min, Tensor quant_max, ScalarType dtype) -> Tensor",
       boxed<quantize_tensor2>},
      {"quantized_decomposed::dequantize_per_tensor(Tensor input, float scale, int zero_point, int "
       "quant_min, "
       "int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
       boxed<dequantize>},
      {"quantized_decomposed::dequantize_per_tensor.tensor(Tensor input, Tensor scale, Tensor zero_point, "
       "int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
       boxed<dequantize_tensor>},
      {"quantized_decomposed::dequantize_per_tensor.tensor2(Tensor input, Tensor scale, Tensor zero_point, "
       "Tensor quant_min, Tensor quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
       boxed<dequantize_tensor2>},
  };
}
