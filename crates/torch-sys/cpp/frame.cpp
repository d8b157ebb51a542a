#include <ATen/ops/stack.h>

#include <memory>

#include "shim.h"

using pt2::Frame;
using pt2::guarded;
using pt2::ShimError;
using pt2::SlotTag;

extern "C" {

Frame *shim_frame_new(size_t slots) noexcept {
  return pt2::guarded_or<Frame *>(nullptr, [&] {
    auto frame = std::make_unique<Frame>();
    frame->slots.resize(slots);
    frame->stack.reserve(32);
    return frame.release();
  });
}

// noexcept: destructors do not throw.
void shim_frame_free(Frame *frame) noexcept { delete frame; }

// noexcept: assigning a value counts references.
void shim_frame_set_tensor(Frame *frame, uint32_t slot, const at::Tensor *tensor) noexcept {
  frame->slots[slot] = *tensor;
}

// noexcept: as above.
void shim_frame_set_int(Frame *frame, uint32_t slot, int64_t value) noexcept { frame->slots[slot] = value; }

// noexcept: as above.
void shim_frame_set_float(Frame *frame, uint32_t slot, double value) noexcept { frame->slots[slot] = value; }

// noexcept: as above.
void shim_frame_set_bool(Frame *frame, uint32_t slot, bool value) noexcept { frame->slots[slot] = value; }

// noexcept: checks of a type do not throw, and a value is read as a tensor only after such a check.
SlotTag shim_frame_tag(const Frame *frame, uint32_t slot) noexcept {
  const auto &value = frame->slots[slot];
  return value.isTensor()   ? (value.toTensor().defined() ? SlotTag::Tensor : SlotTag::None)
         : value.isInt()    ? SlotTag::Int
         : value.isDouble() ? SlotTag::Float
         : value.isBool()   ? SlotTag::Bool
         : value.isNone()   ? SlotTag::None
                            : SlotTag::Other;
}

// The three readers are for slots whose tag was asked for first.
int64_t shim_frame_int(const Frame *frame, uint32_t slot) noexcept {
  return pt2::guarded_or<int64_t>(0, [&] { return frame->slots[slot].toInt(); });
}

double shim_frame_float(const Frame *frame, uint32_t slot) noexcept {
  return pt2::guarded_or(0.0, [&] { return frame->slots[slot].toDouble(); });
}

bool shim_frame_bool(const Frame *frame, uint32_t slot) noexcept {
  return pt2::guarded_or(false, [&] { return frame->slots[slot].toBool(); });
}

ShimError *shim_frame_tensor(const Frame *frame, uint32_t slot, at::Tensor **out) noexcept {
  return guarded([&] { *out = new at::Tensor(frame->slots[slot].toTensor()); });
}

// noexcept: assigning a value counts references.
void shim_frame_release(Frame *frame, const uint32_t *slots, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    frame->slots[slots[i]] = c10::IValue();
  }
}

// noexcept: assigning a value counts references.
void shim_frame_share(const Frame *from, uint32_t slot, Frame *to, uint32_t to_slot) noexcept {
  to->slots[to_slot] = from->slots[slot];
}

// Callers of the functions below are inside a Scope.

// Python's bool() of the value; waits for the device if that is where the value is.
ShimError *shim_frame_is_true(const Frame *frame, uint32_t slot, bool *out) noexcept {
  return pt2::caught([&] {
    const auto &value = frame->slots[slot];
    TORCH_CHECK(value.isTensor() || value.isScalar(), "the predicate is neither a tensor nor a number");
    *out = value.isTensor() ? value.toTensor().is_nonzero() : value.toScalar().to<bool>();
  });
}

ShimError *shim_frame_unshare(Frame *frame, uint32_t slot) noexcept {
  return pt2::caught([&] {
    auto &value = frame->slots[slot];
    if (value.isTensor() && value.toTensor().defined()) {
      value = value.toTensor().clone();
    }
  });
}

ShimError *shim_frame_rows(const Frame *frame, uint32_t slot, int64_t *out) noexcept {
  return pt2::caught([&] { *out = frame->slots[slot].toTensor().size(0); });
}

ShimError *shim_frame_row(const Frame *from, uint32_t slot, int64_t row, Frame *to,
                          uint32_t to_slot) noexcept {
  return pt2::caught([&] { to->slots[to_slot] = from->slots[slot].toTensor().select(0, row); });
}

// Collects tensors in a slot, one at a time. None is not collected: a slot that got nothing else stays empty.
ShimError *shim_frame_append(const Frame *from, uint32_t slot, Frame *to, uint32_t to_slot) noexcept {
  return pt2::caught([&] {
    auto &list = to->slots[to_slot];
    if (from->slots[slot].isNone()) {
      return;
    }
    if (!list.isTensorList()) {
      list = c10::List<at::Tensor>();
    }
    list.toTensorList().push_back(from->slots[slot].toTensor());
  });
}

ShimError *shim_frame_stack(Frame *frame, uint32_t slot) noexcept {
  return pt2::caught([&] {
    auto &list = frame->slots[slot];
    if (list.isTensorList()) {
      list = at::stack(list.toTensorVector());
    }
  });
}
}
