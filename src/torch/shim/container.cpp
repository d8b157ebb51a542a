// Calls of a library that AOTInductor compiled, through the C interface that it exports
// (torch/csrc/inductor/aoti_runtime/interface.h, 2.11).

#include <ATen/Functions.h>
#include <dlfcn.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "said.h"
#include "shim.h"

using pt2::Said;
using pt2::ShimError;

namespace {

// A tensor of the C interface is a pointer to an at::Tensor (aoti_torch/utils.h, 2.11).
using Handle = at::Tensor *;
using Raw = void *;
using Constants = std::unordered_map<std::string, Handle>;

using Create = int32_t (*)(Raw *, size_t, const char *, const char *);
using Delete = int32_t (*)(Raw);
using Run = int32_t (*)(Raw, Handle *, size_t, Handle *, size_t, void *, void *);
using Count = int32_t (*)(Raw, size_t *);
using Name = int32_t (*)(Raw, size_t, const char **);
using CallSpec = int32_t (*)(Raw, const char **, const char **);
using Type = int32_t (*)(Raw, size_t, int32_t *);
using Folded = int32_t (*)(Raw, size_t, bool *);
using Fold = int32_t (*)(Raw, bool, void *, void *);
using Extract = int32_t (*)(Raw, Constants *, bool);
using CurrentStream = int32_t (*)(int32_t, void **);

template <class Function>
Function symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  TORCH_CHECK(address, "the compiled library has no ", name);
  return reinterpret_cast<Function>(address);
}

// The classes of errors that only the words tell.
[[noreturn]] void fail(const std::string &reason) {
  auto says = [&](const char *words) { return reason.find(words) != std::string::npos; };
  TORCH_CHECK_WITH(OutOfMemoryError, !says("CUDA out of memory"), reason);
  for (auto [words, code] :
       {std::pair("illegal memory access", 700), {"device-side assert", 710}, {"launch failure", 719}}) {
    if (says(words)) {
      throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, code, reason);
    }
  }
  TORCH_CHECK(false, reason.empty() ? "the compiled code gives no reason" : reason);
}

// Runs a function of the interface; what it would print is the reason if it fails.
template <class Body>
void checked(Body &&body) {
  Said said;
  if (body() != 0) {
    fail(said.reasons());
  }
}

// Handles that nobody has taken over are freed.
struct Handles {
  std::vector<Handle> all;
  ~Handles() {
    for (auto handle : all) {
      delete handle;
    }
  }
};

}  // namespace

namespace pt2 {

struct Container {
  void *library;
  Raw raw = nullptr;
  Run run = nullptr;
  int32_t device_index = 0;
  // Of libtorch_cuda; NULL on the CPU.
  CurrentStream current_stream = nullptr;

  ~Container() {
    if (raw) {
      Said said;
      symbol<Delete>(library, "AOTInductorModelContainerDelete")(raw);
    }
  }

  void *stream() const {
    void *stream = nullptr;
    TORCH_CHECK(!current_stream || current_stream(device_index, &stream) == 0,
                "libtorch tells no current stream");
    return stream;
  }

  Constants constants() const {
    Constants all;
    auto extract = symbol<Extract>(library, "AOTInductorModelContainerExtractConstantsMap");
    checked([&] { return extract(raw, &all, false); });
    return all;
  }
};

}  // namespace pt2

using pt2::Container;

namespace {

CurrentStream current_stream() {
  void *library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  TORCH_CHECK(library, "libtorch_cuda.so is not loaded");
  auto found = symbol<CurrentStream>(library, "aoti_torch_get_current_cuda_stream");
  dlclose(library);
  return found;
}

}  // namespace

extern "C" {

bool shim_library_has(void *library, const char *name) { return dlsym(library, name) != nullptr; }

ShimError *shim_container_open(void *library, int32_t device_type, int32_t device_index, const char *kernels,
                               size_t instances, Container **out) {
  return pt2::guarded([&] {
    auto made = std::make_unique<Container>();
    made->library = library;
    made->run = symbol<Run>(library, "AOTInductorModelContainerRun");
    made->device_index = device_index;
    auto device = pt2::device_of(device_type, device_index);
    if (!device.is_cpu()) {
      made->current_stream = current_stream();
    }
    auto create = symbol<Create>(library, "AOTInductorModelContainerCreateWithDevice");
    checked([&] { return create(&made->raw, instances, device.str().c_str(), kernels); });
    *out = made.release();
  });
}

ShimError *shim_container_close(Container *container) {
  return pt2::guarded([&] { delete container; });
}

// 0: inputs, 1: outputs.
ShimError *shim_container_count(const Container *container, int32_t what, size_t *out) {
  return pt2::guarded([&] {
    const char *name =
        what == 0 ? "AOTInductorModelContainerGetNumInputs" : "AOTInductorModelContainerGetNumOutputs";
    auto count = symbol<Count>(container->library, name);
    checked([&] { return count(container->raw, out); });
  });
}

// 0: an input's name, 1: a constant's, 2: its name in the exported module, 3: the tree of inputs, 4: of
// outputs. The texts live as long as the container.
ShimError *shim_container_text(const Container *container, int32_t what, size_t index, const char **out) {
  return pt2::guarded([&] {
    if (what > 0) {
      auto get = symbol<CallSpec>(container->library, "AOTInductorModelContainerGetCallSpec");
      const char *in_spec = nullptr, *out_spec = nullptr;
      checked([&] { return get(container->raw, &in_spec, &out_spec); });
      *out = what == 1 ? in_spec : out_spec;
      return;
    }
    auto get = symbol<Name>(container->library, "AOTInductorModelContainerGetInputName");
    checked([&] { return get(container->raw, index, out); });
  });
}

// Computes the constants that follow from others. Inside of a first run this would be done by a thread that
// holds an instance and waits for all others to end, which deadlocks (aoti_runtime/model_container.h, 2.6
// to 2.11).
ShimError *shim_container_fold(const Container *container) {
  return pt2::caught([&] {
    auto fold = symbol<Fold>(container->library, "AOTInductorModelContainerRunConstantFolding");
    checked([&] { return fold(container->raw, false, container->stream(), nullptr); });
  });
}

ShimError *shim_container_run(const Container *container, const at::Tensor *const *inputs, size_t input_count,
                              at::Tensor **outputs, size_t output_count) {
  return pt2::caught([&] {
    Handles taken, given;
    taken.all.reserve(input_count);
    for (size_t i = 0; i < input_count; ++i) {
      taken.all.push_back(new at::Tensor(*inputs[i]));
    }
    given.all.resize(output_count);
    checked([&] {
      return container->run(container->raw, taken.all.data(), input_count, given.all.data(), output_count,
                            container->stream(), nullptr);
    });
    // The code has taken the inputs over, whether it cleared the array or not.
    taken.all.clear();
    for (size_t i = 0; i < output_count; ++i) {
      outputs[i] = given.all[i];
      given.all[i] = nullptr;
    }
  });
}

// Gives every constant that is stored, not computed from others: its name in the exported module, what it was
// there, and the tensor, whose memory is the container's; NULL for one that nobody has given yet.
ShimError *shim_container_constants(const Container *container,
                                    void (*take)(void *, const char *, int32_t, const at::Tensor *),
                                    void *context) {
  return pt2::guarded([&] {
    size_t count = 0;
    checked([&] {
      return symbol<Count>(container->library, "AOTInductorModelContainerGetNumConstants")(container->raw,
                                                                                           &count);
    });
    auto all = container->constants();
    auto name_of = symbol<Name>(container->library, "AOTInductorModelContainerGetConstantOriginalFQN");
    auto type_of = symbol<Type>(container->library, "AOTInductorModelContainerGetConstantType");
    auto folded = symbol<Folded>(container->library, "AOTInductorModelContainerGetConstantFromFolded");
    for (size_t i = 0; i < count; ++i) {
      const char *name = nullptr;
      int32_t type = 0;
      bool computed = false;
      checked([&] { return folded(container->raw, i, &computed); });
      checked([&] { return name_of(container->raw, i, &name); });
      checked([&] { return type_of(container->raw, i, &type); });
      if (computed) {
        continue;
      }
      auto found = all.find(name ? name : "");
      take(context, name ? name : "", type, found == all.end() ? nullptr : found->second);
    }
  });
}

ShimError *shim_tensor_laid_out(const at::Tensor *tensor, const int64_t *strides, at::Tensor **out) {
  return pt2::guarded([&] {
    auto sizes = tensor->sizes();
    auto made = at::empty_strided(sizes, c10::IntArrayRef(strides, sizes.size()), tensor->options());
    made.copy_(*tensor);
    *out = new at::Tensor(std::move(made));
  });
}

// Memory that holds the same is not written to: other threads may read it.
ShimError *shim_tensor_write_back(const at::Tensor *to, const at::Tensor *from) {
  return pt2::guarded([&] {
    if (!at::equal(*to, *from)) {
      to->copy_(*from);
    }
  });
}
}
