#include <new>

#include "shim.h"

using pt2::Frame;
using pt2::guarded;
using pt2::ShimError;

namespace {

// Numbered as in src/torch/frame.rs.
enum Tag : int32_t { None = 0, Tensor = 1, Int = 2, Float = 3, Bool = 4, Other = 5 };

}  // namespace

extern "C" {

Frame *shim_frame_new(size_t slots) {
  auto *frame = new (std::nothrow) Frame;
  try {
    if (frame) {
      frame->slots.resize(slots);
      frame->stack.reserve(32);
    }
    return frame;
  } catch (...) {
    delete frame;
    return nullptr;
  }
}

void shim_frame_free(Frame *frame) { delete frame; }

void shim_frame_set_tensor(Frame *frame, uint32_t slot, const at::Tensor *tensor) {
  frame->slots[slot] = *tensor;
}

void shim_frame_set_int(Frame *frame, uint32_t slot, int64_t value) { frame->slots[slot] = value; }

void shim_frame_set_float(Frame *frame, uint32_t slot, double value) { frame->slots[slot] = value; }

void shim_frame_set_bool(Frame *frame, uint32_t slot, bool value) { frame->slots[slot] = value; }

int32_t shim_frame_tag(const Frame *frame, uint32_t slot) {
  const auto &value = frame->slots[slot];
  return value.isTensor()   ? (value.toTensor().defined() ? Tensor : None)
         : value.isInt()    ? Int
         : value.isDouble() ? Float
         : value.isBool()   ? Bool
         : value.isNone()   ? None
                            : Other;
}

// The three readers are for slots whose tag was asked for first.
int64_t shim_frame_int(const Frame *frame, uint32_t slot) { return frame->slots[slot].toInt(); }

double shim_frame_float(const Frame *frame, uint32_t slot) { return frame->slots[slot].toDouble(); }

bool shim_frame_bool(const Frame *frame, uint32_t slot) { return frame->slots[slot].toBool(); }

ShimError *shim_frame_tensor(const Frame *frame, uint32_t slot, at::Tensor **out) {
  return guarded([&] { *out = new at::Tensor(frame->slots[slot].toTensor()); });
}

void shim_frame_release(Frame *frame, const uint32_t *slots, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    frame->slots[slots[i]] = c10::IValue();
  }
}
}
