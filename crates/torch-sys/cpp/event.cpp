#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "shim.h"

using pt2::ShimError;

namespace pt2 {

// Event on one device, recorded any number of times.
struct Event {
  c10::Device device;
  c10::Event event;

  explicit Event(c10::Device on) : device(on), event(on.type()) {}

  c10::Stream current() const { return c10::impl::VirtualGuardImpl(device.type()).getStream(device); }
};

}  // namespace pt2

using pt2::Event;

extern "C" {

ShimError *shim_event_new(int32_t device_type, int32_t device_index, Event **out) noexcept {
  return pt2::caught([&] { *out = new Event(pt2::device_of(device_type, device_index)); });
}

// noexcept: destructors do not throw.
void shim_event_free(Event *event) noexcept { delete event; }

// Records the event on the thread's current stream of the device.
ShimError *shim_event_record(Event *event) noexcept {
  return pt2::caught([&] { event->event.record(event->current()); });
}

// Orders later work on the thread's current stream of the device after the event. The host does not
// wait.
ShimError *shim_event_block(const Event *event) noexcept {
  return pt2::caught([&] { event->event.block(event->current()); });
}

ShimError *shim_event_synchronize(const Event *event) noexcept {
  return pt2::caught([&] { event->event.synchronize(); });
}
}
