// Checks of sizes that a kernel does not compare.
#include <cmath>

#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// gradient, output
void softmax_backward(const Arguments &given) {
  pt2::checks::same_sizes(given.tensor(0), given.tensor(1), "gradient and output");
}

void check_scale(const Arguments &given, size_t at, int64_t from, int64_t to) {
  if (given.is_none(at)) return;
  auto scale = given.real(at);
  TORCH_CHECK(std::isfinite(scale) && scale > 0 &&
                  std::abs(static_cast<double>(from) * scale - static_cast<double>(to)) <= 1,
              "a scale of ", scale, " from size ", from, " to ", to);
}

// input, output sizes, align corners, scales
void resize_smoothly(const Arguments &given) {
  const auto &input = given.tensor(0);
  auto sizes = given.integers(1);
  TORCH_CHECK(input.dim() == 4 && sizes.size() == 2, "an input of sizes ", input.sizes(),
              " and an output of ", sizes);
  check_scale(given, 3, input.size(2), sizes[0]);
  check_scale(given, 4, input.size(3), sizes[1]);
}

// input, padding at both ends of each dimension
template <int64_t spatial>
void pad(const Arguments &given) {
  auto rank = given.tensor(0).dim();
  auto count = given.integers(1).size();
  TORCH_CHECK(rank == spatial + 1 || rank == spatial + 2, "an input of ", rank, " dimensions");
  TORCH_CHECK(count == 2 * spatial, "takes ", 2 * spatial, " numbers as padding, not ", count);
}

// weight
void packed_weight(const Arguments &given) {
  TORCH_CHECK(given.tensor(0).dim() == 2, "takes a matrix, not ", given.tensor(0).dim(), " dimensions");
}

// two tensors of ints: the processor traps on the least int divided by -1
void least_multiple(const Arguments &given) {
  for (size_t at : {0, 1}) {
    const auto &tensor = given.tensor(at);
    if (!tensor.is_cpu() || !at::isIntegralType(tensor.scalar_type(), false)) continue;
    TORCH_CHECK(!tensor.abs().lt(0).any().item().toBool(), "an element is the least int");
  }
}

// vectors
void distances(const Arguments &given) {
  const auto &vectors = given.tensor(0);
  TORCH_CHECK(vectors.dim() == 2, "takes a matrix, not ", vectors.dim(), " dimensions");
}

}  // namespace

pt2::checks::Table pt2::checks::sizes() {
  return {
      {"aten::_softmax_backward_data", softmax_backward},
      {"aten::_log_softmax_backward_data", softmax_backward},
      {"aten::_upsample_bilinear2d_aa", resize_smoothly},
      {"aten::_upsample_bicubic2d_aa", resize_smoothly},
      {"aten::_upsample_bilinear2d_aa.vec", nullptr},
      {"aten::_upsample_bicubic2d_aa.vec", nullptr},
      {"aten::_pdist_forward", distances},
      {"aten::lcm", least_multiple},
      {"aten::lcm_", least_multiple},
      {"aten::reflection_pad1d", pad<1>},
      {"aten::reflection_pad2d", pad<2>},
      {"aten::reflection_pad3d", pad<3>},
      {"aten::replication_pad1d", pad<1>},
      {"aten::replication_pad2d", pad<2>},
      {"aten::replication_pad3d", pad<3>},
      {"onednn::qlinear_prepack", packed_weight},
  };
}
