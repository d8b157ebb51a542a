// Calls of a library that AOTInductor compiled, through the C interface that it exports
// (torch/csrc/inductor/aoti_runtime/interface.h, 2.11).

#include <ATen/Functions.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "said.h"
#include "shim.h"
#include "stream.h"

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
using Do = int32_t (*)(Raw);
using Fold = int32_t (*)(Raw, bool, void *, void *);
using Size = int32_t (*)(Raw, size_t, size_t *);
using Extract = int32_t (*)(Raw, Constants *, bool);

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
  c10::Device device = at::kCPU;

  ~Container() {
    if (raw) {
      Said said;
      symbol<Delete>(library, "AOTInductorModelContainerDelete")(raw);
    }
  }

  // NULL on the CPU.
  void *stream() const { return device.is_cpu() ? nullptr : current_stream(device.index()); }

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

// A constant in the order in which the library's file holds them (`load_constants` in
// aoti_runtime/model_base.h, 2.11). The tensor is the container's.
struct Stored {
  at::Tensor *tensor;
  size_t size;
};

std::vector<Stored> stored(const Container *container) {
  auto count_of = symbol<Count>(container->library, "AOTInductorModelContainerGetNumConstants");
  auto name_of = symbol<Name>(container->library, "AOTInductorModelContainerGetConstantOriginalFQN");
  auto folded = symbol<Folded>(container->library, "AOTInductorModelContainerGetConstantFromFolded");
  auto size_of = symbol<Size>(container->library, "AOTInductorModelContainerGetConstantDataSize");
  auto all = container->constants();
  std::vector<Stored> found;
  size_t count = 0;
  checked([&] { return count_of(container->raw, &count); });
  for (size_t i = 0; i < count; ++i) {
    const char *name = nullptr;
    size_t size = 0;
    bool computed = false;
    checked([&] { return folded(container->raw, i, &computed); });
    checked([&] { return name_of(container->raw, i, &name); });
    checked([&] { return size_of(container->raw, i, &size); });
    if (!computed) {
      auto named = all.extract(name ? name : "");
      // One that shares its name with another cannot be told from it.
      found.push_back({named.empty() ? nullptr : named.mapped(), size});
    }
  }
  return found;
}

// What kernels may expect of the address of a constant (`AOTI_CONST_ALIGNMENT`).
constexpr size_t alignment = 64;

bool ends_equal(const uint8_t *left, const uint8_t *right, size_t size) {
  size_t part = std::min(size, alignment);
  return memcmp(left, right, part) == 0 && memcmp(left + size - part, right + size - part, part) == 0;
}

// The container's memory of a constant that may as well lie at `place`; NULL for any other.
uint8_t *movable(const Stored &constant, const uint8_t *place, bool inside) {
  auto tensor = constant.tensor;
  if (!inside || !tensor || constant.size == 0 || tensor->layout() != at::kStrided || !tensor->is_cpu()) {
    return nullptr;
  }
  auto at = static_cast<uint8_t *>(tensor->storage().mutable_data());
  bool fits = tensor->storage().nbytes() <= constant.size;
  bool aligned = reinterpret_cast<uintptr_t>(place) % alignment == 0;
  return at && fits && aligned && ends_equal(at, place, constant.size) ? at : nullptr;
}

// Gives the whole pages of memory back whose content nobody needs any more.
void give_back(uint8_t *start, uint8_t *end) {
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto first = (reinterpret_cast<uintptr_t>(start) + page - 1) / page * page;
  auto last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (first < last) {
    madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
  }
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
    made->device = pt2::device_of(device_type, device_index);
    auto create = symbol<Create>(library, "AOTInductorModelContainerCreateWithDevice");
    checked([&] { return create(&made->raw, instances, made->device.str().c_str(), kernels); });
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

// Gives back the memory of the container's own for its constants, all of which read other memory. The
// interface does that for the constants that are not in use, and only for those: none are in use for a
// moment.
ShimError *shim_container_let_memory_go(const Container *container) {
  return pt2::caught([&] {
    auto swap = symbol<Do>(container->library, "AOTInductorModelContainerSwapConstantBuffer");
    auto free = symbol<Do>(container->library, "AOTInductorModelContainerFreeInactiveConstantBuffer");
    for (auto step : {swap, free, swap}) {
      checked([&] { return step(container->raw); });
    }
  });
}

// The memory of a constant if other memory can take its place: what its storage holds is the constant, and
// nothing else.
void *shim_constant_memory(const at::Tensor *constant) {
  bool plain = constant->layout() == at::kStrided && constant->numel() > 0 &&
               constant->storage_offset() == 0 && constant->is_non_overlapping_and_dense();
  return plain ? constant->storage().mutable_data() : nullptr;
}

// Lets a constant read the memory of `from`, which lies as it does and is kept, or memory of its container's
// own where that is NULL. The code has the address once constants are folded.
ShimError *shim_constant_read(const at::Tensor *constant, const at::Tensor *from, void *own) {
  return pt2::guarded([&] {
    auto *storage = constant->storage().unsafeGetStorageImpl();
    if (!from) {
      storage->set_data_ptr_noswap(at::DataPtr(own, constant->device()));
      return;
    }
    auto let_go = [](void *kept) { delete static_cast<at::Tensor *>(kept); };
    auto kept = std::make_unique<at::Tensor>(*from);
    auto *data = kept->mutable_data_ptr();
    storage->set_data_ptr_noswap(at::DataPtr(data, kept.release(), let_go, constant->device()));
  });
}

// `constants` are what the library's file holds of its constants, in memory of the container's own. What the
// container copied of them is given back once nobody refers to it, which is after folding: that reads the
// addresses of all constants anew.
ShimError *shim_container_read_from(const Container *container, uint8_t *constants, size_t length,
                                    size_t *out_moved) {
  return pt2::caught([&] {
    *out_moved = 0;
    if (!shim_library_has(container->library, "AOTInductorModelContainerGetConstantDataSize")) {
      return;
    }
    std::vector<std::pair<uint8_t *, uint8_t *>> left;
    size_t offset = 0;
    for (auto &constant : stored(container)) {
      auto place = constants + offset;
      bool inside = offset <= length && constant.size <= length - offset;
      offset += constant.size;
      auto at = movable(constant, place, inside);
      if (!at) {
        continue;
      }
      constant.tensor->storage().unsafeGetStorageImpl()->set_data_ptr_noswap(at::DataPtr(place, at::kCPU));
      *out_moved += constant.size;
      if (!left.empty() && left.back().second == at) {
        left.back().second += constant.size;
      } else {
        left.emplace_back(at, at + constant.size);
      }
    }
    auto fold = symbol<Fold>(container->library, "AOTInductorModelContainerRunConstantFolding");
    checked([&] { return fold(container->raw, false, container->stream(), nullptr); });
    for (auto [start, end] : left) {
      give_back(start, end);
    }
    // What the library itself sees of its file was read once, to be copied, and is never written to.
    auto seen = static_cast<uint8_t *>(dlsym(container->library, "_binary_constants_bin_start"));
    auto seen_to = static_cast<uint8_t *>(dlsym(container->library, "_binary_constants_bin_end"));
    if (seen && seen < seen_to) {
      give_back(seen, seen_to);
    }
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

// On the CPU only pages that hold something else are written to: the others may be a file's.
ShimError *shim_tensor_fill_changed(const at::Tensor *to, const at::Tensor *from) {
  return pt2::guarded([&] {
    bool alike = to->is_cpu() && from->is_cpu() && to->layout() == from->layout() &&
                 to->dtype() == from->dtype() && to->sizes() == from->sizes() &&
                 to->strides() == from->strides() && to->is_non_overlapping_and_dense();
    if (!alike || from->is_conj() || from->is_neg()) {
      to->copy_(*from);
      return;
    }
    auto target = static_cast<uint8_t *>(to->mutable_data_ptr());
    auto source = static_cast<const uint8_t *>(from->const_data_ptr());
    constexpr size_t part = 4096;
    for (size_t at = 0; at < to->nbytes(); at += part) {
      size_t count = std::min(part, to->nbytes() - at);
      if (memcmp(target + at, source + at, count) != 0) {
        memcpy(target + at, source + at, count);
      }
    }
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
