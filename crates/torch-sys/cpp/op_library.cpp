#include <dlfcn.h>

#include "shim.h"

extern "C" {

// RTLD_LOCAL: the library declares its own dependencies, so its symbols need not be global. It is
// never closed: the dispatcher cannot remove operators safely.
pt2::ShimError *shim_library_open(const char *path) {
  return pt2::caught([&] {
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
      const char *reason = dlerror();
      TORCH_CHECK(false, reason ? reason : "the dynamic loader gives no reason");
    }
  });
}
}
