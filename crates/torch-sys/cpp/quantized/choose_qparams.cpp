#include <limits>
#include <tuple>

#include "quantized.h"

using at::ScalarType;
using at::Tensor;

namespace {
namespace choose_qparams_ops {

using Parameters = std::tuple<Tensor, Tensor>;

// Returns the tensor's extremes. Throws if its values cannot be quantised.
std::tuple<Tensor, Tensor> extremes(const Tensor &input, int64_t quant_min, int64_t quant_max,
                                    ScalarType dtype) {
  auto from = input.scalar_type();
  TORCH_CHECK(from == at::kFloat || from == at::kHalf || from == at::kBFloat16,
              "takes float32, float16 or bfloat16, not ", from);
  TORCH_CHECK(pt2::quantized::holds_quantized(dtype), "no values are quantised to ", dtype);
  TORCH_CHECK(quant_min <= 0 && 0 <= quant_max && quant_min < quant_max, "the range from ", quant_min, " to ",
              quant_max, " has no zero or is empty");
  return at::aminmax(input);
}

bool is_empty(const Tensor &least, const Tensor &greatest) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  if (least.eq(infinity).item().toBool() && greatest.eq(-infinity).item().toBool()) {
    return true;
  }
  TORCH_CHECK(!least.gt(greatest).item().toBool(), "the least value is greater than the greatest");
  return false;
}

Parameters unscaled(const Tensor &like) {
  return {at::ones({1}, like.options().dtype(at::kFloat)), at::zeros({1}, like.options().dtype(at::kLong))};
}

// Smallest scale, of one dimension so that the scale has one too.
Tensor smallest(double eps, const Tensor &like) {
  return at::full({1}, eps, at::TensorOptions().dtype(at::kFloat).device(like.device()));
}

Parameters choose(const Tensor &input, int64_t quant_min, int64_t quant_max, double eps, ScalarType dtype) {
  auto [least, greatest] = extremes(input, quant_min, quant_max, dtype);
  if (is_empty(least, greatest)) {
    return unscaled(least);
  }
  auto low = at::min(least, at::zeros_like(least));
  auto high = at::max(greatest, at::zeros_like(greatest));
  auto scale = at::max(high.sub(low).div(static_cast<double>(quant_max - quant_min)), smallest(eps, low));
  auto zero_point = at::rsub(at::round(low.div(scale)).to(at::kInt), quant_min);
  return {scale.to(at::kDouble), at::clamp(zero_point, quant_min, quant_max).to(at::kLong)};
}

Parameters choose_symmetric(const Tensor &input, int64_t quant_min, int64_t quant_max, double eps,
                            ScalarType dtype) {
  auto [least, greatest] = extremes(input, quant_min, quant_max, dtype);
  if (is_empty(least, greatest)) {
    return unscaled(least);
  }
  auto low = at::min(least, at::zeros_like(least));
  auto high = at::max(low.neg(), at::max(greatest, at::zeros_like(greatest)));
  auto scale = at::max(high.div(static_cast<double>(quant_max - quant_min) / 2), smallest(eps, low));
  auto middle = dtype == at::kByte ? 128 : 0;
  return {scale.to(at::kDouble), at::full({1}, middle, low.options().dtype(at::kLong))};
}

Parameters choose_per_token(const Tensor &input, ScalarType dtype) {
  TORCH_CHECK(dtype == at::kChar, "tokens are quantised to ", at::kChar, ", not to ", dtype);
  auto greatest = input.abs().amax({-1}, true);
  // A scale in float16 could overflow.
  auto wide = greatest.scalar_type() == at::kHalf ? greatest.to(at::kFloat) : greatest;
  auto scales = wide.clamp(1e-5).div(127);
  return {scales, at::zeros_like(scales)};
}

Parameters choose_per_token_asymmetric(const Tensor &input, ScalarType) {
  constexpr int64_t quant_min = -128, quant_max = 127;
  auto least = at::amin(input, {-1}, true), greatest = at::amax(input, {-1}, true);
  auto low = at::min(least, at::zeros_like(least));
  auto high = at::max(greatest, at::zeros_like(greatest));
  auto scale = high.sub(low).div(static_cast<double>(quant_max - quant_min));
  scale = scale.clamp(static_cast<double>(std::numeric_limits<float>::epsilon()));
  auto from_low = low.div(scale), from_high = high.div(scale);
  auto error = from_low.add(quant_min).add(from_high.add(quant_max));
  auto zero_point = at::where(error.gt(0), at::rsub(from_low, quant_min), at::rsub(from_high, quant_max));
  zero_point = at::clamp(zero_point, quant_min, quant_max).round();
  return {scale.to(at::kDouble), zero_point.to(at::kLong)};
}

}  // namespace choose_qparams_ops
}  // namespace

pt2::Family pt2::quantized::choose() {
  using namespace choose_qparams_ops;
  return {
      {"quantized_decomposed::choose_qparams.tensor(Tensor input, int quant_min, int quant_max, float eps, "
       "ScalarType dtype) -> (Tensor, Tensor)",
       boxed<choose_qparams_ops::choose>},
      {"quantized_decomposed::choose_qparams_symmetric.tensor(Tensor input, int quant_min, int quant_max, "
       "float eps, ScalarType dtype) -> (Tensor, Tensor)",
       boxed<choose_symmetric>},
      {"quantized_decomposed::choose_qparams_per_token(Tensor input, ScalarType dtype) -> (Tensor, Tensor)",
       boxed<choose_per_token>},
      {"quantized_decomposed::choose_qparams_per_token_asymmetric(Tensor input, ScalarType dtype) -> "
       "(Tensor, Tensor)",
       boxed<choose_per_token_asymmetric>},
      {"quantized_decomposed::_choose_qparams_per_token_asymmetric_impl(Tensor input, ScalarType dtype) -> "
       "(Tensor, Tensor)",
       boxed<choose_per_token_asymmetric>},
  };
}
