#include "operator.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <array>
#include <new>

#include "shim.h"

using pt2::Content;
using pt2::Operator;
using pt2::ShimError;
using pt2::Tag;

namespace {

const c10::Argument *argument(const Operator *op, size_t index) {
  const auto &arguments = op->schema().arguments();
  return index < arguments.size() ? &arguments[index] : nullptr;
}

bool shares_a_set(const c10::AliasInfo &left, const c10::AliasInfo &right) {
  for (const auto &set : left.beforeSets()) {
    if (right.beforeSets().count(set) || right.afterSets().count(set)) {
      return true;
    }
  }
  for (const auto &inner : right.containedTypes()) {
    if (shares_a_set(left, inner)) {
      return true;
    }
  }
  return false;
}

bool returns_alias(const Operator &op, const c10::AliasInfo &of) {
  const auto &returns = op.schema().returns();
  return std::any_of(returns.begin(), returns.end(), [&](const c10::Argument &returned) {
    return returned.alias_info() && shares_a_set(of, *returned.alias_info());
  });
}

Content content_of(const c10::Type &type) {
  switch (type.kind()) {
    case c10::TypeKind::StringType:
      return Content::Text;
    case c10::TypeKind::StorageType:
    case c10::TypeKind::StreamObjType:
    case c10::TypeKind::CapsuleType:
      return Content::Memory;
    // A custom object holds its pointer in an attribute; no program can make one from a number.
    case c10::TypeKind::ClassType:
      return Content::Values;
    default:
      break;
  }
  auto worst = Content::Values;
  for (const auto &inner : type.containedTypes()) {
    worst = std::max(worst, content_of(*inner));
  }
  return worst;
}

at::Tag torch_tag(Tag tag) {
  switch (tag) {
    case Tag::CudaGraphUnsafe:
      return at::Tag::cudagraph_unsafe;
    case Tag::DataDependentOutput:
      return at::Tag::data_dependent_output;
    case Tag::DynamicOutputShape:
      return at::Tag::dynamic_output_shape;
    default:
      return at::Tag::nondeterministic_seeded;
  }
}

}  // namespace

// Returns true for a dense kernel, which includes composite ones, or one for another layout of the
// device. Factory operators choose by a device argument; every other operator has a fallback for
// that key.
bool pt2::Operator::has_kernel_for(c10::DeviceType device) const {
  using Key = c10::DispatchKey;
  static constexpr std::array<Key, 6> cpu = {Key::CPU,          Key::SparseCPU,       Key::SparseCsrCPU,
                                             Key::QuantizedCPU, Key::NestedTensorCPU, Key::MkldnnCPU};
  static constexpr std::array<Key, 6> cuda = {Key::CUDA,          Key::SparseCUDA,       Key::SparseCsrCUDA,
                                              Key::QuantizedCUDA, Key::NestedTensorCUDA, Key::CUDA};
  const auto &keys = device == c10::DeviceType::CUDA ? cuda : cpu;
  return builtin_ || registered_->hasKernelForDispatchKey(Key::BackendSelect) ||
         std::any_of(keys.begin(), keys.end(),
                     [&](Key key) { return registered_->hasComputedKernelForDispatchKey(key); });
}

extern "C" {

// Sets `*out` to NULL if this process has no such operator. Built-in operators take precedence: an
// implementation that Python has registered by the same name needs the interpreter.
ShimError *shim_operator_find(const char *name, const char *overload, Operator **out) noexcept {
  return pt2::caught([&] {
    if (const auto *builtin = pt2::find_builtin(name, overload)) {
      *out = new Operator(builtin);
      return;
    }
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    *out = found ? new Operator(*found) : nullptr;
  });
}

// noexcept: destructors do not throw.
void shim_operator_free(Operator *op) noexcept { delete op; }

size_t shim_operator_argument_count(const Operator *op) noexcept {
  return pt2::guarded_or<size_t>(0, [&] { return op->schema().arguments().size(); });
}

const char *shim_operator_argument_name(const Operator *op, size_t index) noexcept {
  return pt2::guarded_or("", [&] {
    const auto *found = argument(op, index);
    return found ? found->name().c_str() : "";
  });
}

// A newer libtorch may throw for types it does not know; those count as memory.
Content shim_operator_argument_content(const Operator *op, size_t index) noexcept {
  return pt2::guarded_or(Content::Memory, [&] {
    const auto *found = argument(op, index);
    return found ? content_of(*found->type()) : Content::Values;
  });
}

// Calls `take` with the name and overload of every operator that a library of this process has registered.
ShimError *shim_operator_each(void (*take)(void *, const char *, const char *), void *context) noexcept {
  return pt2::caught([&] {
    for (const auto &name : c10::Dispatcher::singleton().getAllOpNames()) {
      take(context, name.name.c_str(), name.overload_name.c_str());
    }
  });
}

// An operator that cannot be asked has every tag, and writes to and returns every argument: the questions are
// asked to be careful.
bool shim_operator_has_tag(const Operator *op, Tag tag) noexcept {
  return pt2::guarded_or(true, [&] { return op->has_tag(torch_tag(tag)); });
}

// Whether the operator has a kernel for this type of device; yes where libtorch cannot be asked.
bool shim_operator_runs_on(const Operator *op, int32_t device_type) noexcept {
  return pt2::guarded_or(true, [&] { return op->has_kernel_for(pt2::device_of(device_type, 0).type()); });
}

// Whether autocast for this type of device acts on the operator.
bool shim_operator_is_cast(const Operator *op, int32_t device_type) noexcept {
  return pt2::guarded_or(false, [&] {
    const auto device = pt2::device_of(device_type, 0).type();
    return op->has_kernel(at::autocast::get_autocast_dispatch_key_from_device_type(device));
  });
}

// Whether the operator is made of others on every device.
bool shim_operator_is_composite(const Operator *op) noexcept {
  return pt2::guarded_or(false, [&] { return op->has_kernel(c10::DispatchKey::CompositeImplicitAutograd); });
}

bool shim_operator_writes(const Operator *op, size_t index) noexcept {
  return pt2::guarded_or(true, [&] {
    const auto *found = argument(op, index);
    return found && found->alias_info() && found->alias_info()->isWrite();
  });
}

// Whether some return may share memory with the argument, as far as the schema says.
bool shim_operator_returns_alias_of(const Operator *op, size_t index) noexcept {
  return pt2::guarded_or(true, [&] {
    const auto *found = argument(op, index);
    return found && found->alias_info() && returns_alias(*op, *found->alias_info());
  });
}
}
