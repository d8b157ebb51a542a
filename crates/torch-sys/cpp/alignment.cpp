#include "alignment.h"

#include <ATen/Functions.h>
#include <c10/core/alignment.h>

#include <algorithm>
#include <cstdint>

#include "shim.h"

namespace {

// Found by tests/alignment/sweep.py, which calls the CPU's operators on addresses that are aligned
// for the dtype only. These kernels load whole vectors with instructions that need 16 to 64 bytes.
constexpr const char *kOperators[] = {
    "aten::_weight_int8pack_mm",
};

// Largest alignment that CUDA's vector loads need. libtorch's CUDA allocator exceeds it.
constexpr uintptr_t kDeviceAlignment = 16;

at::Tensor aligned(const at::Tensor &tensor) {
  if (!tensor.defined() || tensor.layout() != c10::kStrided || !tensor.has_storage()) {
    return tensor;
  }
  auto needed = tensor.is_cpu() ? static_cast<uintptr_t>(c10::gAlignment) : kDeviceAlignment;
  if (reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % needed == 0) {
    return tensor;
  }
  // Kernels choose by strides, so a dense tensor keeps its strides.
  if (!tensor.is_non_overlapping_and_dense()) {
    return tensor.clone();
  }
  auto copy = at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options());
  copy.copy_(tensor);
  return copy;
}

}  // namespace

std::vector<size_t> pt2::aligned_arguments(const c10::FunctionSchema &schema) {
  auto is_listed = [&](const char *name) { return schema.name() == name; };
  std::vector<size_t> positions;
  if (std::none_of(std::begin(kOperators), std::end(kOperators), is_listed)) {
    return positions;
  }
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const auto *alias = schema.arguments()[i].alias_info();
    if (!alias || !alias->isWrite()) {
      positions.push_back(i);
    }
  }
  return positions;
}

void pt2::align(torch::jit::Stack &stack, const std::vector<size_t> &positions) {
  for (auto position : positions) {
    auto &value = stack[position];
    if (value.isTensor()) {
      value = aligned(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<at::Tensor> all;
      for (const auto &tensor : value.toTensorVector()) all.push_back(aligned(tensor));
      value = all;
    }
  }
}
