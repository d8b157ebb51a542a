#include "plain_tensor.h"

#include <ATen/Functions.h>
#include <ATen/NestedTensorImpl.h>

#include "shim.h"

using at::Tensor;
using pt2::ShimError;

namespace {

// Keys of tensors that stand for others during PyTorch's transformations and have no elements.
constexpr c10::DispatchKeySet kWrappers({
    c10::DispatchKey::Functionalize,
    c10::DispatchKey::FuncTorchBatched,
    c10::DispatchKey::FuncTorchGradWrapper,
    c10::DispatchKey::BatchedNestedTensor,
    c10::DispatchKey::Batched,
    c10::DispatchKey::Python,
});

// Returns the name of a tensor kind that handles cannot describe; empty for any other.
std::string unknown_kind(const Tensor &tensor) {
  if (tensor.is_nested()) return "a nested tensor";
  if (tensor.layout() != c10::kStrided) return c10::str("a tensor of layout ", tensor.layout());
  if (tensor.key_set().has_any(kWrappers) || !tensor.has_storage()) return "a wrapper around another tensor";
  if (tensor.is_quantized()) return c10::str("a quantized tensor (", tensor.scalar_type(), ")");
  if (tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) return "a tensor of symbolic sizes";
  if (tensor.is_meta()) return "a meta tensor, which has no elements";
  return {};
}

// Returns the offset past the last byte of its storage that the tensor reaches.
size_t end_of(const Tensor &tensor) {
  auto last = tensor.storage_offset();
  for (int64_t dim = 0; dim < tensor.dim(); ++dim) {
    last += (tensor.size(dim) - 1) * tensor.stride(dim);
  }
  return static_cast<size_t>(last + 1) * tensor.element_size();
}

bool lies_in_storage(const Tensor &tensor) {
  return tensor.numel() == 0 || (tensor.const_data_ptr() && end_of(tensor) <= tensor.storage().nbytes());
}

Tensor resolved(const Tensor &tensor) {
  return tensor._is_zerotensor() ? at::zeros(tensor.sizes(), tensor.options())
                                 : tensor.resolve_conj().resolve_neg();
}

}  // namespace

bool pt2::is_plain(const Tensor &tensor) {
  return unknown_kind(tensor).empty() && !tensor._is_zerotensor() && !tensor.is_conj() && !tensor.is_neg() &&
         lies_in_storage(tensor);
}

Tensor pt2::plain(const Tensor &tensor) {
  auto kind = unknown_kind(tensor);
  TORCH_CHECK(kind.empty(), kind);
  auto plain = resolved(tensor);
  TORCH_CHECK(lies_in_storage(plain), "a tensor whose memory was taken away or does not hold all of it");
  return plain;
}

extern "C" {

bool shim_tensor_is_plain(const Tensor *tensor) noexcept {
  return pt2::guarded_or(false, [&] { return pt2::is_plain(*tensor); });
}

ShimError *shim_tensor_plain(const Tensor *tensor, Tensor **out) noexcept {
  return pt2::guarded([&] { *out = new Tensor(pt2::plain(*tensor)); });
}
}
