// torchao/quantization/quant_primitives.py, 0.18.

#include <limits>
#include <optional>
#include <string>
#include <tuple>

#include "python.h"

using at::IntArrayRef;
using at::Scalar;
using at::ScalarType;
using at::Tensor;

namespace {
namespace torchao_ops {

// Values of fewer than eight bits are stored in a tensor of uint8.
std::optional<int64_t> narrow_bits(ScalarType dtype) {
  switch (dtype) {
    case at::kUInt1:
      return 1;
    case at::kUInt2:
      return 2;
    case at::kUInt3:
      return 3;
    case at::kUInt4:
      return 4;
    case at::kUInt5:
      return 5;
    case at::kUInt6:
      return 6;
    case at::kUInt7:
      return 7;
    default:
      return std::nullopt;
  }
}

std::pair<Scalar, Scalar> widest(ScalarType dtype) {
  if (auto bits = narrow_bits(dtype)) return {int64_t{0}, (int64_t{1} << *bits) - 1};
  switch (dtype) {
    case at::kByte:
      return {int64_t{0}, int64_t{255}};
    case at::kChar:
      return {int64_t{-128}, int64_t{127}};
    case at::kShort:
      return {int64_t{-32768}, int64_t{32767}};
    case at::kInt:
      return {int64_t{-2147483648LL}, int64_t{2147483647}};
    case at::kFloat8_e4m3fn:
      return {-448.0, 448.0};
    case at::kFloat8_e5m2:
      return {-57344.0, 57344.0};
    case at::kFloat8_e4m3fnuz:
      return {-240.0, 240.0};
    case at::kFloat8_e5m2fnuz:
      return {-57344.0, 57344.0};
    default:
      TORCH_CHECK(false, "no values are quantised to ", dtype);
  }
}

std::pair<Scalar, Scalar> bounds_of(ScalarType dtype, const std::optional<Scalar> &quant_min,
                                    const std::optional<Scalar> &quant_max) {
  auto [least, greatest] = widest(dtype);
  auto low = quant_min.value_or(least), high = quant_max.value_or(greatest);
  TORCH_CHECK(low.toDouble() >= least.toDouble(), "quant_min is ", low.toDouble(), ", below that of ", dtype);
  TORCH_CHECK(high.toDouble() <= greatest.toDouble(), "quant_max is ", high.toDouble(), ", above that of ",
              dtype);
  return {low, high};
}

void check_float(ScalarType dtype) {
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16,
              "takes float32, float16 or bfloat16, not ", dtype);
}

Tensor quantize(const Tensor &input, IntArrayRef block_size, const Tensor &scale,
                const std::optional<Tensor> &zero_point, ScalarType output_dtype,
                const std::optional<Scalar> &quant_min, const std::optional<Scalar> &quant_max) {
  auto [low, high] = bounds_of(output_dtype, quant_min, quant_max);
  check_float(input.scalar_type());
  TORCH_CHECK(zero_point && zero_point->numel() > 0, "takes a zero point");
  auto blocks = pt2::python::blocks_of(block_size, input.sizes());
  auto scales = scale.view(blocks.reduced), zero_points = zero_point->view(blocks.reduced);
  auto rounded = at::round(input.view(blocks.sizes).mul(scales.reciprocal()));
  auto quantized = at::clamp(rounded.add(zero_points), low, high).view(input.sizes());
  return quantized.to(narrow_bits(output_dtype) ? at::kByte : output_dtype);
}

Tensor dequantize(const Tensor &input, IntArrayRef block_size, const Tensor &scale,
                  const std::optional<Tensor> &zero_point, ScalarType input_dtype,
                  const std::optional<Scalar> &quant_min, const std::optional<Scalar> &quant_max,
                  ScalarType output_dtype) {
  TORCH_CHECK(narrow_bits(input_dtype) || input.scalar_type() == input_dtype, "takes ", input_dtype, ", not ",
              input.scalar_type());
  check_float(output_dtype);
  bounds_of(input_dtype, quant_min, quant_max);
  auto blocks = pt2::python::blocks_of(block_size, input.sizes());
  auto wide = input.view(blocks.sizes).to(output_dtype, /*non_blocking=*/false, /*copy=*/true);
  if (zero_point) wide = wide.sub(zero_point->view(blocks.reduced).to(output_dtype));
  return wide.mul(scale.view(blocks.reduced)).view(input.sizes()).to(output_dtype);
}

double smallest_normal(ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return std::numeric_limits<double>::min();
    case at::kHalf:
      return static_cast<double>(std::numeric_limits<at::Half>::min());
    default:
      return static_cast<double>(std::numeric_limits<float>::min());
  }
}

struct Extremes {
  Tensor low, high;
};

Tensor symmetric(const Extremes &at, double range) { return at::max(at.low.neg(), at.high).div(range / 2); }

Tensor symmetric_without_clipping(const Extremes &at, double quant_min, double quant_max) {
  auto from_low = at.low.div(quant_min), from_high = at.high.div(quant_max);
  return at::where(from_low.gt(from_high), from_low, from_high);
}

std::tuple<Tensor, Tensor> choose(const std::optional<Tensor> &given, const std::string &mapping_type,
                                  IntArrayRef block_size, ScalarType target_dtype,
                                  const std::optional<Scalar> &quant_min,
                                  const std::optional<Scalar> &quant_max, std::optional<double> eps,
                                  std::optional<ScalarType> scale_dtype,
                                  std::optional<ScalarType> zero_point_dtype, bool keepdim) {
  TORCH_CHECK(given, "takes a tensor");
  const auto &input = *given;
  auto [least, greatest] = bounds_of(target_dtype, quant_min, quant_max);
  auto quant_low = least.toDouble(), quant_high = greatest.toDouble();
  auto blocks = pt2::python::blocks_of(block_size, input.sizes());
  auto blocked = input.view(blocks.sizes);
  auto low = at::amin(blocked, blocks.inside, keepdim), high = at::amax(blocked, blocks.inside, keepdim);
  Extremes extremes{at::min(low, at::zeros_like(low)), at::max(high, at::zeros_like(high))};
  auto smallest = eps.value_or(smallest_normal(input.scalar_type()));
  Tensor scale, zero_point;
  if (mapping_type == "ASYMMETRIC") {
    scale = at::clamp(extremes.high.sub(extremes.low).div(quant_high - quant_low), smallest);
    zero_point = at::clamp(at::rsub(at::round(extremes.low.div(scale)), least), least, greatest);
    zero_point = zero_point.to(zero_point_dtype.value_or(at::kInt));
  } else {
    TORCH_CHECK(mapping_type == "SYMMETRIC" || mapping_type == "SYMMETRIC_NO_CLIPPING_ERR",
                "knows no mapping of this type: ", mapping_type);
    scale = mapping_type == "SYMMETRIC" ? symmetric(extremes, quant_high - quant_low)
                                        : symmetric_without_clipping(extremes, quant_low, quant_high);
    zero_point = at::full_like(scale, static_cast<int64_t>((quant_high + quant_low + 1) / 2));
    zero_point = zero_point_dtype ? zero_point.to(*zero_point_dtype) : zero_point;
    scale = at::clamp(scale, smallest);
  }
  if (keepdim) {
    auto counts = pt2::python::block_counts(block_size, input.sizes());
    scale = scale.reshape(counts);
    zero_point = zero_point.reshape(counts);
  }
  return {scale.to(scale_dtype.value_or(input.scalar_type())), zero_point};
}

}  // namespace torchao_ops
}  // namespace

pt2::Family pt2::python::torchao() {
  using namespace torchao_ops;
  return {
      {"torchao::quantize_affine(Tensor input, SymInt[] block_size, Tensor scale, Tensor? zero_point, "
       "ScalarType "
       "output_dtype, Scalar? quant_min=None, Scalar? quant_max=None) -> Tensor",
       boxed<quantize>},
      {"torchao::dequantize_affine(Tensor input, SymInt[] block_size, Tensor scale, Tensor? zero_point, "
       "ScalarType "
       "input_dtype, Scalar? quant_min=None, Scalar? quant_max=None, ScalarType output_dtype=6) -> Tensor",
       boxed<dequantize>},
      {"torchao::choose_qparams_affine(Tensor? input, str mapping_type, SymInt[] block_size, ScalarType "
       "target_dtype, "
       "Scalar? quant_min=None, Scalar? quant_max=None, float? eps=None, ScalarType? scale_dtype=None, "
       "ScalarType? "
       "zero_point_dtype=None, bool keepdim=False) -> (Tensor, Tensor)",
       boxed<choose>},
  };
}
