#include <ATen/core/dispatch/Dispatcher.h>

#include <new>

#include "shim.h"

using c10::OperatorHandle;

namespace {

const c10::Argument *argument(const OperatorHandle *op, size_t index) {
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

}  // namespace

extern "C" {

// NULL when no library in this process has registered the operator.
OperatorHandle *shim_operator_find(const char *name, const char *overload) {
  try {
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    return found ? new OperatorHandle(*found) : nullptr;
  } catch (...) {
    return nullptr;
  }
}

void shim_operator_free(OperatorHandle *op) { delete op; }

size_t shim_operator_argument_count(const OperatorHandle *op) { return op->schema().arguments().size(); }

const char *shim_operator_argument_name(const OperatorHandle *op, size_t index) {
  const auto *found = argument(op, index);
  return found ? found->name().c_str() : nullptr;
}

bool shim_operator_writes(const OperatorHandle *op, size_t index) {
  const auto *found = argument(op, index);
  return found && found->alias_info() && found->alias_info()->isWrite();
}

// Whether some return may share memory with the argument, as far as the schema says.
bool shim_operator_returns_alias_of(const OperatorHandle *op, size_t index) {
  const auto *found = argument(op, index);
  if (!found || !found->alias_info()) {
    return false;
  }
  for (const auto &returned : op->schema().returns()) {
    if (returned.alias_info() && shares_a_set(*found->alias_info(), *returned.alias_info())) {
      return true;
    }
  }
  return false;
}
}
