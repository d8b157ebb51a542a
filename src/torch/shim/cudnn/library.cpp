#include "library.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <string>

namespace {

using pt2::cudnn::Library;

template <class Function>
bool find(void *from, const char *name, Function *&function) {
  function = reinterpret_cast<Function *>(dlsym(from, name));
  return function;
}

// Never closed: libtorch_cuda holds it for the life of the process.
const Library *opened() {
  void *from = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD);
  if (!from) {
    return nullptr;
  }
  static Library all{};
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

const Library *pt2::cudnn::library() {
  static const Library *const found = opened();
  return found;
}

void pt2::cudnn::open_parts() {
  Dl_info info{};
  if (!library() || !dladdr(reinterpret_cast<void *>(library()->version), &info) || !info.dli_fname) {
    return;
  }
  std::string path = info.dli_fname;
  const auto folder = path.substr(0, path.rfind('/') + 1);
  for (const char *part : {"graph", "heuristic", "engines_precompiled", "engines_runtime_compiled"}) {
    // Never closed: cuDNN holds them too. One that is not there is cuDNN's to miss.
    dlopen((folder + "libcudnn_" + part + ".so.9").c_str(), RTLD_NOW);
  }
}

void pt2::cudnn::check(int status, const char *doing) {
  TORCH_CHECK(status == 0, "cuDNN: ", doing, ": ", library()->error_text(status));
}

extern "C" void shim_cudnn_open() { pt2::cudnn::open_parts(); }
