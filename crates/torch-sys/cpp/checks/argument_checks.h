// Checks of arguments that libtorch's CPU kernels trust (2.11): a wrong size or index makes them
// access memory outside of their tensors, or divide by zero. tests/sweep found these operators.
// Operators that no exported model uses are rejected instead (src/plan/policy).
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <initializer_list>
#include <vector>

namespace pt2::checks {

// Arguments of a call, by their position in the schema.
class Arguments {
 public:
  explicit Arguments(const torch::jit::Stack &stack) : stack_(stack) {}

  // Returns an undefined tensor for None.
  const at::Tensor &tensor(size_t at) const;
  bool has(size_t at) const { return tensor(at).defined(); }
  bool is_none(size_t at) const { return stack_.at(at).isNone(); }
  bool flag(size_t at) const { return stack_.at(at).toBool(); }
  int64_t integer(size_t at) const { return stack_.at(at).toInt(); }
  double real(size_t at) const { return stack_.at(at).toScalar().toDouble(); }
  int64_t length(size_t at) const { return static_cast<int64_t>(stack_.at(at).toListRef().size()); }
  std::vector<int64_t> integers(size_t at) const { return stack_.at(at).toIntVector(); }

 private:
  const torch::jit::Stack &stack_;
};

// Throws for arguments that the kernel must not get.
using Check = void (*)(const Arguments &);

struct Checked {
  // Name of all overloads, or `name.overload` for one.
  const char *name;
  Check check;
};
using Table = std::vector<Checked>;

Table attention();
Table fourier();
Table indices();
Table norms();
Table pooling();
Table recurrent();
Table sizes();
Table sparse();

// Returns NULL for an operator whose kernels check their arguments themselves.
Check find(const c10::FunctionSchema &schema);

// Throws unless both tensors have the same sizes.
void same_sizes(const at::Tensor &one, const at::Tensor &other, const char *names);

// Throws unless a tensor has this many elements.
void has_elements(const at::Tensor &tensor, int64_t count, const char *name);

// Throws unless all elements are at least `low` and less than `high`. Skips tensors of other
// devices than the CPU: reading them would wait for the device.
void within(const at::Tensor &integers, int64_t low, int64_t high, const char *name);

}  // namespace pt2::checks
