#include <optional>

#include "quantized.h"

namespace {

struct Bounds {
  double least, greatest;
};

std::optional<Bounds> bounds_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kByte:
      return Bounds{0, 255};
    case at::kChar:
      return Bounds{-128, 127};
    case at::kUInt16:
      return Bounds{0, 65535};
    case at::kShort:
      return Bounds{-32768, 32767};
    case at::kInt:
      return Bounds{-2147483648.0, 2147483647.0};
    case at::kFloat8_e5m2:
      return Bounds{-57344, 57344};
    case at::kFloat8_e4m3fn:
      return Bounds{-448, 448};
    default:
      return std::nullopt;
  }
}

}  // namespace

namespace pt2::quantized {

bool holds_quantized(at::ScalarType dtype) { return bounds_of(dtype).has_value(); }

void check_bounds(const at::Scalar &quant_min, const at::Scalar &quant_max, at::ScalarType dtype) {
  auto bounds = bounds_of(dtype);
  TORCH_CHECK(bounds, "no values are quantised to ", dtype);
  TORCH_CHECK(quant_min.toDouble() >= bounds->least, "quant_min is ", quant_min, ", the least ", dtype,
              " is ", bounds->least);
  TORCH_CHECK(quant_max.toDouble() <= bounds->greatest, "quant_max is ", quant_max, ", the greatest ", dtype,
              " is ", bounds->greatest);
}

at::Tensor widened(const at::Tensor &input) {
  auto narrow = input.scalar_type() == at::kHalf || input.scalar_type() == at::kBFloat16;
  auto wide = narrow ? input.to(at::kFloat) : input;
  TORCH_CHECK(wide.scalar_type() == at::kFloat, "takes float32, float16 or bfloat16, not ",
              wide.scalar_type());
  return wide;
}

at::Tensor inverse(const at::Tensor &scales) { return scales.reciprocal().mul(1.0); }

}  // namespace pt2::quantized
