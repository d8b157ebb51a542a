#include "argument_checks.h"

#include <string>
#include <unordered_map>

namespace {

using pt2::checks::Check;

std::unordered_map<std::string, Check> all() {
  std::unordered_map<std::string, Check> all;
  for (const auto &table :
       {pt2::checks::attention(), pt2::checks::fourier(), pt2::checks::indices(), pt2::checks::norms(),
        pt2::checks::pooling(), pt2::checks::recurrent(), pt2::checks::sizes(), pt2::checks::sparse()}) {
    for (const auto &[name, check] : table) all.emplace(name, check);
  }
  return all;
}

}  // namespace

namespace pt2::checks {

const at::Tensor &Arguments::tensor(size_t at) const {
  static const at::Tensor none;
  const auto &value = stack_.at(at);
  return value.isTensor() ? value.toTensor() : none;
}

Check find(const c10::FunctionSchema &schema) {
  static const auto table = all();
  auto found = table.find(schema.name() + "." + schema.overload_name());
  if (found == table.end()) found = table.find(schema.name());
  return found == table.end() ? nullptr : found->second;
}

void same_sizes(const at::Tensor &one, const at::Tensor &other, const char *names) {
  TORCH_CHECK(one.sizes() == other.sizes(), names, " have different sizes, ", one.sizes(), " and ",
              other.sizes());
}

void has_elements(const at::Tensor &tensor, int64_t count, const char *name) {
  TORCH_CHECK(tensor.numel() == count, name, " has ", tensor.numel(), " elements where ", count,
              " are expected");
}

void within(const at::Tensor &integers, int64_t low, int64_t high, const char *name) {
  if (integers.numel() == 0 || !integers.is_cpu()) return;
  auto [least, greatest] = at::aminmax(integers);
  auto from = least.item().toLong(), to = greatest.item().toLong();
  TORCH_CHECK(low <= from && to < high, name, " has elements from ", from, " to ", to, ", outside of ", low,
              " to ", high - 1);
}

}  // namespace pt2::checks
