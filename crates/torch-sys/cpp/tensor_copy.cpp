// Copies of tensors.

#include <ATen/Functions.h>

#include <algorithm>
#include <cstring>

#include "shim.h"

using pt2::ShimError;

extern "C" {

ShimError *shim_tensor_laid_out(const at::Tensor *tensor, const int64_t *strides, at::Tensor **out) noexcept {
  return pt2::guarded([&] {
    auto sizes = tensor->sizes();
    auto made = at::empty_strided(sizes, c10::IntArrayRef(strides, sizes.size()), tensor->options());
    made.copy_(*tensor);
    *out = new at::Tensor(std::move(made));
  });
}

// On the CPU only pages that hold something else are written to: the others may be a file's.
ShimError *shim_tensor_fill_changed(const at::Tensor *to, const at::Tensor *from) noexcept {
  return pt2::guarded([&] {
    bool alike = to->is_cpu() && from->is_cpu() && to->layout() == from->layout() &&
                 to->dtype() == from->dtype() && to->sizes() == from->sizes() &&
                 to->strides() == from->strides() && to->is_non_overlapping_and_dense();
    if (!alike || from->is_conj() || from->is_neg()) {
      to->copy_(*from);
      return;
    }
    auto target = static_cast<uint8_t *>(to->mutable_data_ptr());
    auto source = static_cast<const uint8_t *>(from->const_data_ptr());
    constexpr size_t part = 4096;
    for (size_t at = 0; at < to->nbytes(); at += part) {
      size_t count = std::min(part, to->nbytes() - at);
      if (memcmp(target + at, source + at, count) != 0) {
        memcpy(target + at, source + at, count);
      }
    }
  });
}

// Memory that holds the same is not written to: other threads may read it.
ShimError *shim_tensor_write_back(const at::Tensor *to, const at::Tensor *from) noexcept {
  return pt2::guarded([&] {
    if (!at::equal(*to, *from)) {
      to->copy_(*from);
    }
  });
}
}
