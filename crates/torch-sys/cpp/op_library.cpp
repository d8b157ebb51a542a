#include <dlfcn.h>

#include "shim.h"

extern "C" {

// What the library needs it names itself, so its symbols stay its own. It is never closed: operators cannot
// be taken out of the dispatcher safely.
pt2::ShimError *shim_library_open(const char *path) noexcept {
  return pt2::caught([&] {
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
      const char *reason = dlerror();
      TORCH_CHECK(false, reason ? reason : "the dynamic loader gives no reason");
    }
  });
}
}
