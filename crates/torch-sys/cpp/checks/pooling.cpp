// Checks of pooling backward: gradients have the sizes of the pooled output, and indices are inside
// of the pooled input.
#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// Throws unless both have the same leading dimensions and their last `spatial` ones are not empty.
void check_planes(const at::Tensor &gradient, const at::Tensor &input, int64_t spatial) {
  TORCH_CHECK(input.dim() == spatial + 1 || input.dim() == spatial + 2, "the input has ", input.dim(),
              " dimensions");
  TORCH_CHECK(gradient.dim() == input.dim(), "gradient and input have ", gradient.dim(), " and ", input.dim(),
              " dimensions");
  for (int64_t dim = 0; dim < input.dim(); ++dim) {
    bool outer = dim < input.dim() - spatial;
    TORCH_CHECK(!outer || gradient.size(dim) == input.size(dim), "gradient and input have different sizes, ",
                gradient.sizes(), " and ", input.sizes());
    TORCH_CHECK(outer || (gradient.size(dim) > 0 && input.size(dim) > 0),
                "a plane is empty: ", gradient.sizes(), " and ", input.sizes());
  }
}

void check_indices(const at::Tensor &gradient, const at::Tensor &input, const at::Tensor &indices,
                   int64_t spatial) {
  check_planes(gradient, input, spatial);
  pt2::checks::same_sizes(gradient, indices, "gradient and indices");
  int64_t plane = 1;
  for (int64_t dim = input.dim() - spatial; dim < input.dim(); ++dim) plane *= input.size(dim);
  pt2::checks::within(indices, 0, plane, "`indices`");
}

// gradient, input
template <int64_t spatial>
void average_backward(const Arguments &given) {
  check_planes(given.tensor(0), given.tensor(1), spatial);
}

// gradient, input, kernel, stride, padding, dilation, ceil mode, indices
void max_backward(const Arguments &given) {
  check_indices(given.tensor(0), given.tensor(1), given.tensor(7), 2);
}

}  // namespace

pt2::checks::Table pt2::checks::pooling() {
  return {
      {"aten::_adaptive_avg_pool2d_backward", average_backward<2>},
      {"aten::_adaptive_avg_pool3d_backward", average_backward<3>},
      {"aten::max_pool2d_with_indices_backward", max_backward},
  };
}
