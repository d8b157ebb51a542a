// Outputs of PyTorch's own loader for a list of calls.
//
//     loader PACKAGE MODEL DEVICE CALLS ANSWERS
//
// CALLS is a list of lists of tensors, as torch.save writes it. ANSWERS is a tuple of tuples, as
// torch.load reads it, with None for an absent output. It is written before the loader is freed,
// and appears when it is complete, so that a crash in freeing does not lose it.

#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "device.hpp"

namespace {

using Loader = torch::inductor::AOTIModelPackageLoader;

c10::IValue read(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return torch::jit::pickle_load({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
}

void write(const std::string &path, const c10::IValue &value) {
  const std::vector<char> bytes = torch::jit::pickle_save(value);
  std::ofstream file(path + ".part", std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
  std::filesystem::rename(path + ".part", path);
}

c10::IValue tuple(std::vector<c10::IValue> values) { return c10::ivalue::Tuple::create(std::move(values)); }

c10::IValue answer(Loader &loader, const c10::IValue &call, const c10::Device &device) {
  std::vector<at::Tensor> inputs;
  for (const c10::IValue &input : call.toListRef()) inputs.push_back(input.toTensor().to(device));
  std::vector<c10::IValue> outputs;
  for (const at::Tensor &output : loader.run(inputs)) {
    outputs.push_back(output.defined() ? c10::IValue(output.cpu()) : c10::IValue());
  }
  return tuple(std::move(outputs));
}

}  // namespace

int main(int, char **arguments) try {
  const c10::Device device = device_of(arguments[3]);
  const c10::InferenceMode inference;
  const c10::IValue calls = read(arguments[4]);
  Loader loader(arguments[1], arguments[2]);
  std::vector<c10::IValue> answers;
  for (const c10::IValue &call : calls.toListRef()) answers.push_back(answer(loader, call, device));
  write(arguments[5], tuple(std::move(answers)));
} catch (const std::exception &failed) {
  std::cerr << failed.what() << std::endl;
  return 1;
}
