// Operators that libtorch lacks: those that PyTorch registers from Python only, and those that
// passes write into a graph. They are called like the dispatcher's but never registered with it: a
// Python interpreter in this process registers the same names.
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

// Declaration of an operator: PyTorch's schema text and the function that computes it.
struct Declaration {
  const char *schema;
  Kernel kernel;
};
using Family = std::vector<Declaration>;

// Returns NULL if the operator is not built in.
const Builtin *find_builtin(const char *name, const char *overload);

// Pops the arguments of `function` from a stack and pushes its results.
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
