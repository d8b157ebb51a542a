// transformers/integrations/moe.py, 5.24.
#include "python.h"

using at::Tensor;

namespace {
namespace transformers_ops {

// `_grouped_mm_fallback`: rows sorted by expert, each group times its expert's matrix. `offs` holds
// the end of each group.
Tensor grouped_mm(const Tensor &input, const Tensor &weight, const Tensor &offs) {
  TORCH_CHECK(input.dim() == 2 && weight.dim() == 3 && offs.dim() == 1,
              "takes rows, matrices and offsets, not ", input.dim(), ", ", weight.dim(), " and ", offs.dim(),
              " dimensions");
  TORCH_CHECK(offs.size(0) == weight.size(0), offs.size(0), " offsets for ", weight.size(0), " experts");
  TORCH_CHECK(offs.scalar_type() == at::kInt || offs.scalar_type() == at::kLong, "offsets are ints, not ",
              offs.scalar_type());
  auto output = at::zeros({input.size(0), weight.size(2)}, input.options());
  auto ends = offs.to(at::kCPU, at::kLong).contiguous();
  int64_t start = 0;
  for (int64_t expert = 0; expert < ends.size(0); ++expert) {
    auto end = ends.const_data_ptr<int64_t>()[expert];
    if (start == end) continue;
    TORCH_CHECK(start < end && end <= input.size(0), "offset ", end, " after ", start, " in ", input.size(0),
                " rows");
    auto rows = output.slice(0, start, end);
    at::mm_out(rows, input.slice(0, start, end), weight.select(0, expert));
    start = end;
  }
  return output;
}

}  // namespace transformers_ops
}  // namespace

pt2::Family pt2::python::transformers() {
  using namespace transformers_ops;
  return {{"transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor",
           boxed<grouped_mm>}};
}
