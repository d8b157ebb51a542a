#include <ATen/DLConvertor.h>
#include <ATen/Functions.h>
#include <ATen/dlpack.h>

#include "shim.h"

using pt2::guarded;
using pt2::ShimError;
using pt2::TensorView;

namespace {

// Layout of tensors that libtorch calls strided although they have no strides.
constexpr int32_t kNoLayout = -1;

// Reads a tensor's properties. The pointers are NULL unless it is strided and its sizes are not
// symbolic.
TensorView view_of(const at::Tensor &tensor) {
  TensorView view{};
  view.dtype = tensor.defined() ? static_cast<int32_t>(tensor.scalar_type()) : -1;
  if (!tensor.defined()) {
    return view;
  }
  view.device_type = static_cast<int32_t>(tensor.device().type());
  view.device_index = tensor.device().has_index() ? tensor.device().index() : 0;
  view.layout = tensor.is_nested() ? kNoLayout : static_cast<int32_t>(tensor.layout());
  if (view.layout != 0 || tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) {
    return view;
  }
  view.sizes = tensor.sizes().data();
  view.strides = tensor.strides().data();
  view.rank = tensor.sizes().size();
  view.elements = tensor.numel();
  view.bytes = tensor.numel() * static_cast<int64_t>(tensor.element_size());
  view.data = tensor.has_storage() ? tensor.data_ptr() : nullptr;
  return view;
}

// Metadata of a tensor that cannot be described.
TensorView no_view() noexcept {
  TensorView view{};
  view.dtype = -1;
  view.layout = kNoLayout;
  return view;
}

}  // namespace

namespace pt2 {

c10::Device device_of(int32_t type, int32_t index) {
  auto device_type = static_cast<c10::DeviceType>(type);
  return device_type == c10::kCPU ? c10::Device(c10::kCPU)
                                  : c10::Device(device_type, static_cast<c10::DeviceIndex>(index));
}

}  // namespace pt2

extern "C" {

void shim_tensor_view(const at::Tensor *tensor, TensorView *view) noexcept {
  *view = pt2::guarded_or(no_view(), [&] { return view_of(*tensor); });
}

namespace {

// Owner of a tensor's memory. Passed to libtorch as a context: for a function object, libtorch
// would allocate in a noexcept function, and exhausted memory would end the process.
struct Blob {
  void (*release)(void *);
  void *context;
  bool owned;
};

// noexcept: callbacks of the caller do not throw.
void give_back(void *held) noexcept {
  std::unique_ptr<Blob> blob(static_cast<Blob *>(held));
  if (blob->owned && blob->release) {
    blob->release(blob->context);
  }
}

// noexcept: destructors do not throw.
void forget(void *held) noexcept { delete static_cast<at::Tensor *>(held); }

}  // namespace

// Calls `release(context)` once, when the last tensor on this memory is destroyed. Does not call it
// if this function fails. Fails for a CUDA device if the driver does not know the memory: it is
// neither memory of a device nor pinned.
ShimError *shim_tensor_from_blob(void *data, const int64_t *sizes, const int64_t *strides, size_t rank,
                                 int32_t dtype, int32_t device_type, int32_t device_index,
                                 void (*release)(void *), void *context, at::Tensor **out) noexcept {
  return guarded([&] {
    auto options = at::TensorOptions()
                       .dtype(static_cast<c10::ScalarType>(dtype))
                       .device(pt2::device_of(device_type, device_index));
    if (options.device().is_cuda() && c10::multiply_integers(sizes, sizes + rank) != 0) {
      at::globalContext().getDeviceFromPtr(data, c10::DeviceType::CUDA);
    }
    auto *blob = new Blob{release, context, false};
    // Pinned memory belongs to the host, so its owner is not this device.
    auto made = at::for_blob(data, at::IntArrayRef(sizes, rank))
                    .strides(at::IntArrayRef(strides, rank))
                    .context(blob, give_back)
                    .options(options)
                    .target_device(options.device())
                    .make_tensor();
    auto tensor = std::make_unique<at::Tensor>(std::move(made));
    blob->owned = true;
    *out = tensor.release();
  });
}

ShimError *shim_tensor_empty(const int64_t *sizes, size_t rank, int32_t dtype, int32_t device_type,
                             int32_t device_index, bool pinned, at::Tensor **out) noexcept {
  return guarded([&] {
    auto options = at::TensorOptions()
                       .dtype(static_cast<c10::ScalarType>(dtype))
                       .device(pt2::device_of(device_type, device_index))
                       .pinned_memory(pinned);
    *out = new at::Tensor(at::empty(at::IntArrayRef(sizes, rank), options));
  });
}

// Returns a view of `base`'s storage: `sizes` and `strides` in elements of `dtype`, `offset` in
// bytes. With `trained`, it requires gradients like a module's parameter. Nothing is recorded, but
// matrix products choose their kernel by it, also through views (`should_fold` of
// aten/src/ATen/native/LinearAlgebra.cpp, 2.11). Inference mode would hide that flag.
ShimError *shim_tensor_view_of(const at::Tensor *base, int64_t offset, const int64_t *sizes,
                               const int64_t *strides, size_t rank, int32_t dtype, bool trained,
                               at::Tensor **out) noexcept {
  return guarded([&] {
    c10::InferenceMode mode(!trained);
    auto *keep = new at::Tensor(*base);
    auto *data = static_cast<char *>(base->data_ptr()) + offset;
    auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype)).device(base->device());
    auto tensor = at::for_blob(data, at::IntArrayRef(sizes, rank))
                      .strides(at::IntArrayRef(strides, rank))
                      .context(keep, forget)
                      .options(options)
                      .target_device(base->device())
                      .make_tensor();
    if (trained && (tensor.is_floating_point() || tensor.is_complex())) {
      tensor.set_requires_grad(true);
    }
    *out = new at::Tensor(std::move(tensor));
  });
}

ShimError *shim_tensor_copy(at::Tensor *to, const at::Tensor *from, bool non_blocking) noexcept {
  return guarded([&] { to->copy_(*from, non_blocking); });
}

// Returns a contiguous tensor on `device`; shares the memory if it is one already.
ShimError *shim_tensor_dense(const at::Tensor *tensor, int32_t device_type, int32_t device_index,
                             at::Tensor **out) noexcept {
  return guarded([&] {
    auto device = pt2::device_of(device_type, device_index);
    auto there = tensor->to(device, tensor->scalar_type(), false, false);
    // A lazy conjugate or negative shares the original's memory and has a flag.
    *out = new at::Tensor(there.resolve_conj().resolve_neg().contiguous());
  });
}

ShimError *shim_tensor_to_dlpack(const at::Tensor *tensor, void **out) noexcept {
  return guarded([&] { *out = at::toDLPackVersioned(*tensor); });
}

// Uninitialised memory with the same sizes, strides, dtype and device.
ShimError *shim_tensor_like(const at::Tensor *tensor, at::Tensor **out) noexcept {
  return guarded([&] {
    *out = new at::Tensor(at::empty_strided(tensor->sizes(), tensor->strides(), tensor->options()));
  });
}

// The same elements in memory of their own.
ShimError *shim_tensor_copied(const at::Tensor *tensor, at::Tensor **out) noexcept {
  return guarded([&] { *out = new at::Tensor(tensor->clone()); });
}

// Whether each element has one place, without gaps between them.
bool shim_tensor_fills_its_memory(const at::Tensor *tensor) noexcept {
  return pt2::guarded_or(
      false, [&] { return tensor->layout() == c10::kStrided && tensor->is_non_overlapping_and_dense(); });
}

// A tensor that cannot be asked counts as one that shares.
bool shim_tensor_shares_memory(const at::Tensor *tensor, const at::Tensor *other) noexcept {
  return pt2::guarded_or(true, [&] {
    return tensor->has_storage() && other->has_storage() && tensor->storage().is_alias_of(other->storage());
  });
}

// noexcept: counts a reference in memory that is asked for without exceptions.
at::Tensor *shim_tensor_clone(const at::Tensor *tensor) noexcept {
  return new (std::nothrow) at::Tensor(*tensor);
}

// noexcept: destructors do not throw.
void shim_tensor_free(at::Tensor *tensor) noexcept { delete tensor; }

// Not a copy of the reference: in-place changes of sizes and strides concern one tensor only.
ShimError *shim_tensor_alias(const at::Tensor *tensor, at::Tensor **out) noexcept {
  return guarded([&] { *out = new at::Tensor(tensor->alias()); });
}
}
