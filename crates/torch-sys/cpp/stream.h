// CUDA streams: libpt2's own and a thread's current one.
#pragma once

#include <cstdint>

namespace pt2 {

// Throws CUDA's message for a code that is not success.
void check_cuda(int code);

// Stream for exclusive use until it is destroyed. libtorch's pool would create all of its 128
// streams at once, which takes 70 MiB of the device.
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

// Returns this thread's current stream of a device.
void *current_stream(int32_t device);

// Makes a stream of a device current in this thread until it is destroyed.
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
