// Operators that no libtorch has: those that PyTorch registers from Python only, and those that passes write.
// They are called as the dispatcher's are, and are never registered with it: a Python in this process
// registers the same names.
#pragma once

#include <ATen/core/boxing/KernelFunction.h>
#include <ATen/core/function_schema.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace pt2 {

using Kernel = void (*)(torch::jit::Stack &);

struct Builtin {
  c10::FunctionSchema schema;
  Kernel kernel;
};

// How a family declares its operators: the schema in PyTorch's own words, and what computes it.
struct Declaration {
  const char *schema;
  Kernel kernel;
};
using Family = std::vector<Declaration>;

// NULL when the operator is none of these.
const Builtin *find_builtin(const char *name, const char *overload);

// Takes the arguments of `function` off a stack and leaves its results there.
template <auto *function>
void boxed(torch::jit::Stack &stack) {
  using Pointer = c10::CompileTimeFunctionPointer<std::remove_pointer_t<decltype(function)>, function>;
  using Functor = typename c10::impl::WrapFunctionIntoFunctor<Pointer>::type;
  Functor functor;
  auto results =
      c10::impl::call_functor_with_args_from_stack<Functor, false>(&functor, c10::DispatchKeySet(), &stack);
  torch::jit::drop(stack, c10::guts::infer_function_traits_t<Functor>::number_of_parameters);
  c10::impl::push_outputs<decltype(results), false>::call(std::move(results), &stack);
}

}  // namespace pt2
