#include <ATen/autocast_mode.h>

#include <memory>

#include "shim.h"

using pt2::ShimError;

namespace pt2 {

// Sets the thread's autocast mode for one type of device; the destructor restores it.
struct Autocast {
  c10::DeviceType device;
  bool enabled = at::autocast::is_autocast_enabled(device);
  at::ScalarType dtype = at::autocast::get_autocast_dtype(device);

  explicit Autocast(c10::DeviceType type) : device(type) {}
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;

  ~Autocast() {
    pt2::attempted([&] {
      at::autocast::set_autocast_enabled(device, enabled);
      at::autocast::set_autocast_dtype(device, dtype);
    });
  }
};

}  // namespace pt2

using pt2::Autocast;

extern "C" {

// A negative dtype means the device's own default. Nothing is cached: libtorch caches casts of tensors that
// require gradients only.
ShimError *shim_autocast_enter(int32_t device_type, int32_t dtype, bool enabled, Autocast **out) noexcept {
  return pt2::caught([&] {
    auto mode = std::make_unique<Autocast>(pt2::device_of(device_type, 0).type());
    at::autocast::set_autocast_enabled(mode->device, enabled);
    if (dtype >= 0) {
      at::autocast::set_autocast_dtype(mode->device, static_cast<at::ScalarType>(dtype));
    }
    *out = mode.release();
  });
}

// noexcept: destructors do not throw.
void shim_autocast_leave(Autocast *autocast) noexcept { delete autocast; }
}
