// CUDA streams: ours, and whichever is current in a thread.
#pragma once

#include <cstdint>

namespace pt2 {

// Throws what CUDA's runtime says of a code that is not success.
void check_cuda(int code);

// A stream that nobody else has until this ends. libtorch's own come from a pool that makes all of its 128
// when the first is asked for, which takes 70 MiB of the device.
class OwnStream {
 public:
  // The device must be current.
  explicit OwnStream(int32_t device);
  OwnStream(const OwnStream &) = delete;
  OwnStream &operator=(const OwnStream &) = delete;
  ~OwnStream();

  void *raw() const { return raw_; }

 private:
  int32_t device_;
  void *raw_;
};

// This thread's current stream of a device.
void *current_stream(int32_t device);

// Makes a stream of a device current in this thread until this ends.
class CurrentStream {
 public:
  CurrentStream(void *stream, int32_t device);
  CurrentStream(const CurrentStream &) = delete;
  CurrentStream &operator=(const CurrentStream &) = delete;
  ~CurrentStream();

 private:
  void *guard_ = nullptr;
};

}  // namespace pt2
