#include "quantized.h"

namespace {
namespace element_type_ops {

at::Tensor convert(const at::Tensor &input, at::ScalarType dtype) {
  return at::empty_like(input, input.options().dtype(dtype)).copy_(input);
}

}  // namespace element_type_ops
}  // namespace

pt2::Family pt2::quantized::element_type() {
  using namespace element_type_ops;
  return {{"quantized_decomposed::convert_element_type.no_fuse(Tensor input, ScalarType dtype) -> Tensor",
           boxed<convert>}};
}
