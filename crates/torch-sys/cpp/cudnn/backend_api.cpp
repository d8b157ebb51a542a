#include "backend_api.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

namespace {

using pt2::cudnn::BackendApi;

template <class Function>
bool find(void *from, const char *name, Function *&function) {
  function = reinterpret_cast<Function *>(dlsym(from, name));
  return function;
}

// Never closed: libtorch_cuda holds it until the process exits.
const BackendApi *opened() {
  void *from = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD);
  if (!from) {
    return nullptr;
  }
  static BackendApi all{};
  bool whole =
      find(from, "cudnnGetVersion", all.version) && find(from, "cudnnGetErrorString", all.error_text) &&
      find(from, "cudnnCreate", all.create) && find(from, "cudnnDestroy", all.destroy) &&
      find(from, "cudnnSetStream", all.set_stream) && find(from, "cudnnBackendCreateDescriptor", all.make) &&
      find(from, "cudnnBackendDestroyDescriptor", all.free) &&
      find(from, "cudnnBackendSetAttribute", all.set) && find(from, "cudnnBackendGetAttribute", all.get) &&
      find(from, "cudnnBackendFinalize", all.finalize) && find(from, "cudnnBackendExecute", all.execute);
  return whole ? &all : nullptr;
}

}  // namespace

const BackendApi *pt2::cudnn::library() {
  static const BackendApi *const found = opened();
  return found;
}

void pt2::cudnn::check(int status, const char *doing) {
  TORCH_CHECK(status == 0, "cuDNN: ", doing, ": ", library()->error_text(status));
}
