#include <dlfcn.h>

#include "shim.h"

extern "C" {

// RTLD_LOCAL hides the library's symbols from other libraries: each names its own dependencies. The
// library is never closed, because operators cannot be removed from the dispatcher safely.
pt2::ShimError *shim_library_open(const char *path) noexcept {
  return pt2::caught([&] {
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
      const char *reason = dlerror();
      TORCH_CHECK(false, reason ? reason : "the dynamic loader gives no reason");
    }
  });
}
}
