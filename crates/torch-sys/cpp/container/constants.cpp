// Constants of compiled code and the memory that they read.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "../shim.h"
#include "model_container.h"

using namespace pt2::aoti;
using pt2::ModelContainer;
using pt2::ShimError;

namespace {

// Constant at its position in the library's file (`load_constants` in aoti_runtime/model_base.h,
// 2.11). The container owns the tensor.
struct StoredConstant {
  at::Tensor *tensor;
  size_t size;
};

// Calls `take` with the number and exported name of each constant that is stored, not folded.
template <class Take>
void each_stored(const ModelContainer &container, Take &&take) {
  auto count_of = symbol<Count>(container.library, "AOTInductorModelContainerGetNumConstants");
  auto name_of = symbol<Name>(container.library, "AOTInductorModelContainerGetConstantOriginalFQN");
  auto folded = symbol<Folded>(container.library, "AOTInductorModelContainerGetConstantFromFolded");
  size_t count = 0;
  checked(container.library, [&] { return count_of(container.raw, &count); });
  for (size_t i = 0; i < count; ++i) {
    const char *name = nullptr;
    bool computed = false;
    checked(container.library, [&] { return folded(container.raw, i, &computed); });
    checked(container.library, [&] { return name_of(container.raw, i, &name); });
    if (!computed) {
      take(i, name ? name : "");
    }
  }
}

std::vector<StoredConstant> stored(const ModelContainer &container) {
  auto size_of = symbol<Size>(container.library, "AOTInductorModelContainerGetConstantDataSize");
  auto all = container.constants();
  std::vector<StoredConstant> found;
  each_stored(container, [&](size_t i, const char *name) {
    size_t size = 0;
    checked(container.library, [&] { return size_of(container.raw, i, &size); });
    auto named = all.extract(name);
    // Constants with the same name are indistinguishable: only the first gets a tensor.
    found.push_back({named.empty() ? nullptr : named.mapped(), size});
  });
  return found;
}

// Alignment that kernels may expect of a constant (`AOTI_CONST_ALIGNMENT`).
constexpr size_t alignment = 64;

bool ends_equal(const uint8_t *left, const uint8_t *right, size_t size) {
  size_t part = std::min(size, alignment);
  return memcmp(left, right, part) == 0 && memcmp(left + size - part, right + size - part, part) == 0;
}

// Returns the container's memory of a constant that can be read from `place` instead, or NULL.
uint8_t *movable(const StoredConstant &constant, const uint8_t *place, bool inside) {
  auto tensor = constant.tensor;
  if (!inside || !tensor || constant.size == 0 || tensor->layout() != at::kStrided || !tensor->is_cpu()) {
    return nullptr;
  }
  auto at = static_cast<uint8_t *>(tensor->storage().mutable_data());
  bool fits = tensor->storage().nbytes() <= constant.size;
  bool aligned = reinterpret_cast<uintptr_t>(place) % alignment == 0;
  return at && fits && aligned && ends_equal(at, place, constant.size) ? at : nullptr;
}

// Releases the whole pages of memory whose content is no longer needed.
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

// Calls `take` with each stored constant: its name and type in the exported module, and its tensor.
// The container owns the tensor's memory. The tensor is NULL if the constant has not been set yet.
ShimError *shim_container_constants(const ModelContainer *container,
                                    void (*take)(void *, const char *, int32_t, const at::Tensor *),
                                    void *context) noexcept {
  return pt2::guarded([&] {
    auto all = container->constants();
    auto type_of = symbol<Type>(container->library, "AOTInductorModelContainerGetConstantType");
    each_stored(*container, [&](size_t i, const char *name) {
      int32_t type = 0;
      checked(container->library, [&] { return type_of(container->raw, i, &type); });
      auto found = all.find(name);
      take(context, name, type, found == all.end() ? nullptr : found->second);
    });
  });
}

// Makes the container read its constants from `constants`: the content of the library's file in
// memory that the container keeps. Releases the container's copies after folding, which looks up
// the addresses of all constants again.
ShimError *shim_container_read_from(const ModelContainer *container, uint8_t *constants, size_t length,
                                    size_t *out_moved) noexcept {
  return pt2::caught([&] {
    *out_moved = 0;
    if (!dlsym(container->library, "AOTInductorModelContainerGetConstantDataSize")) {
      return;
    }
    std::vector<std::pair<uint8_t *, uint8_t *>> left;
    size_t offset = 0;
    for (auto &constant : stored(*container)) {
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
    container->fold();
    for (auto [start, end] : left) {
      give_back(start, end);
    }
    // The container has copied the library's mapping of its file and neither reads nor writes it
    // again.
    auto seen = static_cast<uint8_t *>(dlsym(container->library, "_binary_constants_bin_start"));
    auto seen_to = static_cast<uint8_t *>(dlsym(container->library, "_binary_constants_bin_end"));
    if (seen && seen < seen_to) {
      give_back(seen, seen_to);
    }
  });
}

// Gives back the memory of the container's own for its constants, all of which read other memory. The
// interface does that for the constants that are not in use, and only for those: none are in use for a
// moment.
ShimError *shim_container_free_constants(const ModelContainer *container) noexcept {
  return pt2::caught([&] {
    auto swap = symbol<Do>(container->library, "AOTInductorModelContainerSwapConstantBuffer");
    auto free = symbol<Do>(container->library, "AOTInductorModelContainerFreeInactiveConstantBuffer");
    for (auto step : {swap, free, swap}) {
      checked(container->library, [&] { return step(container->raw); });
    }
  });
}

// The memory of a constant if other memory can take its place: what its storage holds is the constant, and
// nothing else.
void *shim_constant_memory(const at::Tensor *constant) noexcept {
  return pt2::guarded_or<void *>(nullptr, [&] {
    bool plain = constant->layout() == at::kStrided && constant->numel() > 0 &&
                 constant->storage_offset() == 0 && constant->is_non_overlapping_and_dense();
    return plain ? constant->storage().mutable_data() : nullptr;
  });
}

// Lets a constant read the memory of `from`, which lies as it does and is kept, or memory of its container's
// own where that is NULL. The code has the address once constants are folded.
ShimError *shim_constant_read(const at::Tensor *constant, const at::Tensor *from, void *own) noexcept {
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
}
