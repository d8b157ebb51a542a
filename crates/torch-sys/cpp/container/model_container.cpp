#include "model_container.h"

#include <memory>
#include <vector>

#include "../shim.h"
#include "../stream.h"

using pt2::ContainerSide;
using pt2::ContainerText;
using pt2::ModelContainer;
using pt2::ShimError;
using namespace pt2::aoti;

namespace {

// Owns handles until the compiled code takes them over.
struct Handles {
  std::vector<Handle> all;
  ~Handles() {
    for (auto handle : all) {
      delete handle;
    }
  }
};

}  // namespace

namespace pt2::aoti {

// Reason of this thread's last failure (AOTInductorGetLastError, since 2.13), without the trace in
// further lines. Empty before 2.13.
static std::string last_error(void *library) {
  auto get = reinterpret_cast<LastError>(dlsym(library, "AOTInductorGetLastError"));
  const char *reason = nullptr;
  std::string all = get && get(&reason) == 0 && reason ? reason : "";
  return all.substr(0, all.find('\n'));
}

void fail(void *library, std::string reason) {
  auto last = last_error(library);
  if (reason.find(last) == std::string::npos) {
    reason += (reason.empty() ? "" : "; ") + last;
  }
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

}  // namespace pt2::aoti

namespace pt2 {

ModelContainer::~ModelContainer() {
  if (raw) {
    attempted([&] {
      StderrCapture capture;
      symbol<Delete>(library, "AOTInductorModelContainerDelete")(raw);
    });
  }
}

void *ModelContainer::stream() const { return device.is_cpu() ? nullptr : current_stream(device.index()); }

Constants ModelContainer::constants() const {
  Constants all;
  auto extract = symbol<Extract>(library, "AOTInductorModelContainerExtractConstantsMap");
  checked(library, [&] { return extract(raw, &all, false); });
  return all;
}

void ModelContainer::fold() const {
  auto fold = symbol<Fold>(library, "AOTInductorModelContainerRunConstantFolding");
  checked(library, [&] { return fold(raw, false, stream(), nullptr); });
}

}  // namespace pt2

extern "C" {

// noexcept: dlsym is a C function.
bool shim_library_has(void *library, const char *name) noexcept { return dlsym(library, name) != nullptr; }

ShimError *shim_container_open(void *library, int32_t device_type, int32_t device_index, const char *kernels,
                               size_t instances, ModelContainer **out) noexcept {
  return pt2::guarded([&] {
    auto made = std::make_unique<ModelContainer>();
    made->library = library;
    made->run = symbol<Run>(library, "AOTInductorModelContainerRun");
    made->device = pt2::device_of(device_type, device_index);
    auto create = symbol<Create>(library, "AOTInductorModelContainerCreateWithDevice");
    checked(library, [&] { return create(&made->raw, instances, made->device.str().c_str(), kernels); });
    *out = made.release();
  });
}

ShimError *shim_container_close(ModelContainer *container) noexcept {
  return pt2::guarded([&] { delete container; });
}

ShimError *shim_container_count(const ModelContainer *container, ContainerSide side, size_t *out) noexcept {
  return pt2::guarded([&] {
    const char *name = side == ContainerSide::Inputs ? "AOTInductorModelContainerGetNumInputs"
                                                     : "AOTInductorModelContainerGetNumOutputs";
    auto count = symbol<Count>(container->library, name);
    checked(container->library, [&] { return count(container->raw, out); });
  });
}

ShimError *shim_container_text(const ModelContainer *container, ContainerText text, size_t index,
                               const char **out) noexcept {
  return pt2::guarded([&] {
    if (text != ContainerText::InputName) {
      auto get = symbol<CallSpec>(container->library, "AOTInductorModelContainerGetCallSpec");
      const char *in_spec = nullptr, *out_spec = nullptr;
      checked(container->library, [&] { return get(container->raw, &in_spec, &out_spec); });
      *out = text == ContainerText::InSpec ? in_spec : out_spec;
      return;
    }
    auto get = symbol<Name>(container->library, "AOTInductorModelContainerGetInputName");
    checked(container->library, [&] { return get(container->raw, index, out); });
  });
}

ShimError *shim_container_fold(const ModelContainer *container) noexcept {
  return pt2::caught([&] { container->fold(); });
}

ShimError *shim_container_run(const ModelContainer *container, const at::Tensor *const *inputs,
                              size_t input_count, at::Tensor **outputs, size_t output_count) noexcept {
  return pt2::caught([&] {
    Handles taken, given;
    taken.all.reserve(input_count);
    for (size_t i = 0; i < input_count; ++i) {
      taken.all.push_back(new at::Tensor(*inputs[i]));
    }
    given.all.resize(output_count);
    checked(container->library, [&] {
      return container->run(container->raw, taken.all.data(), input_count, given.all.data(), output_count,
                            container->stream(), nullptr);
    });
    // The code has taken over the inputs, even if it did not clear the array.
    taken.all.clear();
    for (size_t i = 0; i < output_count; ++i) {
      outputs[i] = given.all[i];
      given.all[i] = nullptr;
    }
  });
}
}
