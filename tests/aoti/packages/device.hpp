// Device of the programs here.

#ifndef TESTS_PACKAGES_DEVICE_HPP
#define TESTS_PACKAGES_DEVICE_HPP

#include <c10/core/Device.h>
#include <dlfcn.h>

#include <stdexcept>

/// Returns the device of this name. Loads libtorch's CUDA library first, which is not linked.
inline c10::Device device_of(const char *name) {
  const c10::Device device(name);
  if (device.is_cuda() && dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    throw std::runtime_error(dlerror());
  }
  return device;
}

#endif
