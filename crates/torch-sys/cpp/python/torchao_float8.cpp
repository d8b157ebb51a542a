// torchao/quantization/quant_primitives.py, 0.18.
#include <optional>

#include "python.h"

using at::IntArrayRef;
using at::ScalarType;
using at::Tensor;

namespace {
namespace torchao_float8_ops {

double greatest(ScalarType dtype) {
  switch (dtype) {
    case at::kFloat8_e4m3fn:
      return 448;
    case at::kFloat8_e4m3fnuz:
      return 240;
    case at::kFloat8_e5m2:
    case at::kFloat8_e5m2fnuz:
      return 57344;
    default:
      TORCH_CHECK(false, "takes a dtype of eight bits, not ", dtype);
  }
}

Tensor choose_scale(const Tensor &tensor, IntArrayRef block_size, ScalarType float8_dtype,
                    ScalarType scale_dtype, std::optional<double> lowest, std::optional<double> highest) {
  auto blocks = pt2::python::blocks_of(block_size, tensor.sizes());
  auto largest = tensor.view(blocks.sizes).abs().amax(blocks.inside, true);
  if (lowest || highest) {
    auto bound = [](std::optional<double> value) {
      return value ? std::optional<at::Scalar>(*value) : std::nullopt;
    };
    largest = at::clamp(largest, bound(lowest), bound(highest));
  }
  auto scale = largest.div(greatest(float8_dtype));
  scale = scale.reshape(pt2::python::block_counts(block_size, tensor.sizes()));
  if (scale_dtype != at::kFloat) {
    TORCH_CHECK(scale_dtype == at::kFloat8_e8m0fnu, "no scales are ", scale_dtype);
    scale = at::exp2(at::round(at::log2(scale)));
  }
  return scale.to(at::kFloat);
}

bool broadcasts(const Tensor &scale, IntArrayRef sizes) {
  if (scale.numel() == 1) return true;
  auto count = std::min(sizes.size(), static_cast<size_t>(scale.dim()));
  for (size_t i = 0; i < count; ++i) {
    auto size = scale.size(static_cast<int64_t>(i));
    if (size != sizes[i] && size != 1) return false;
  }
  return true;
}

// `_maybe_expand_scale_to_tensor_shape`
Tensor expanded(const Tensor &scale, IntArrayRef sizes) {
  if (broadcasts(scale, sizes)) return scale;
  TORCH_CHECK(static_cast<size_t>(scale.dim()) == sizes.size(), "scales of ", scale.dim(),
              " dimensions for a tensor of ", sizes.size());
  auto result = scale;
  for (int64_t dim = 0; dim < scale.dim(); ++dim) {
    auto size = sizes[static_cast<size_t>(dim)], count = scale.size(dim);
    TORCH_CHECK(count > 0 && size % count == 0, "size ", size, " at dimension ", dim, " is no multiple of ",
                count);
    if (size / count > 1) result = result.repeat_interleave(size / count, dim);
  }
  return result;
}

Tensor quantize(const Tensor &tensor, const Tensor &scale, ScalarType float8_dtype) {
  auto most = greatest(float8_dtype);
  auto scaled = tensor.to(at::kFloat).div(expanded(scale, tensor.sizes()));
  return at::clamp(scaled, -most, most).to(float8_dtype);
}

Tensor dequantize(const Tensor &tensor, const Tensor &scale, ScalarType output_dtype) {
  return tensor.to(at::kFloat).mul(expanded(scale, tensor.sizes())).to(output_dtype);
}

}  // namespace torchao_float8_ops
}  // namespace

// Defaults are the numbers of float8_e4m3fn and float32 (c10/core/ScalarType.h, 2.11).
pt2::Family pt2::python::torchao_float8() {
  using namespace torchao_float8_ops;
  return {
      {"torchao::choose_scale_float8(Tensor tensor, SymInt[] block_size, ScalarType float8_dtype=24, "
       "ScalarType "
       "scale_dtype=6, float? hp_value_lb=None, float? hp_value_ub=None) -> Tensor",
       boxed<choose_scale>},
      {"torchao::quantize_affine_float8_non_decomposed(Tensor tensor, Tensor scale, ScalarType "
       "float8_dtype=24) -> "
       "Tensor",
       boxed<torchao_float8_ops::quantize>},
      {"torchao::dequantize_affine_float8_non_decomposed(Tensor tensor, Tensor scale, ScalarType "
       "output_dtype=6) -> "
       "Tensor",
       boxed<torchao_float8_ops::dequantize>},
  };
}
