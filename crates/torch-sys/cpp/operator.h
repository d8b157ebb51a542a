// Operator with its schema, registered or built in.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

#include "builtin_ops.h"
#include "pt2_shim.h"

namespace pt2 {

struct Operator {
  explicit Operator(c10::OperatorHandle registered) : registered_(registered) {}
  explicit Operator(const Builtin *builtin) : builtin_(builtin) {}

  const c10::FunctionSchema &schema() const { return builtin_ ? builtin_->schema : registered_->schema(); }

  // Built-in operators have no tags.
  bool has_tag(at::Tag tag) const { return registered_ && registered_->hasTag(tag); }

  // Built-in operators have no kernels for single keys.
  bool has_kernel(c10::DispatchKey key) const {
    return registered_ && registered_->hasKernelForDispatchKey(key);
  }

  bool has_kernel_for(c10::DeviceType device) const;

  void call(torch::jit::Stack &stack) const {
    if (builtin_) {
      builtin_->kernel(stack);
    } else {
      registered_->callBoxed(stack);
    }
  }

 private:
  std::optional<c10::OperatorHandle> registered_;
  const Builtin *builtin_ = nullptr;
};

}  // namespace pt2
