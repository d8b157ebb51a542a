#include "execution.h"

#include <ATen/ops/empty.h>

#include <array>

namespace pt2::cudnn {

at::Tensor workspace(const ExecutionPlan &plan, const Tensors &tensors) {
  return at::empty({plan.workspace}, tensors.output.options().dtype(at::kByte));
}

void execute(HandleLock &turn, const ExecutionPlan &plan, const Tensors &tensors,
             const at::Tensor &workspace) {
  std::array<int64_t, 5> ids{};
  std::array<void *, 5> pointers{};
  int64_t count = 0;
  auto add = [&](Id id, const at::Tensor &tensor) {
    if (tensor.defined()) {
      ids[static_cast<size_t>(count)] = id;
      pointers[static_cast<size_t>(count++)] = tensor.data_ptr();
    }
  };
  add(Input, tensors.input);
  add(Weight, tensors.weight);
  add(Output, tensors.output);
  add(Bias, tensors.bias);
  add(Sum, tensors.sum);
  void *memory = workspace.data_ptr();
  Descriptor pack(DescriptorType::VariantPack);
  pack.set(AttributeName::PackIds, AttributeType::Int64, count, ids.data())
      .set(AttributeName::PackPointers, AttributeType::Pointer, count, pointers.data())
      .set(AttributeName::PackWorkspace, AttributeType::Pointer, memory)
      .finalize();
  check(library()->execute(turn->handle(), plan.descriptor.raw(), pack.raw()), "executing a convolution");
}

}  // namespace pt2::cudnn
