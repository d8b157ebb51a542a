// Loads, runs and frees a package with PyTorch's own loader. Prints the process's resources after
// warm-up and at the end, each as `memory in KiB, descriptors, maps, temporary folders`.
//
//     cycles PACKAGE WARM CYCLES DEVICE

#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "device.hpp"

namespace {

long entries(const char *folder) {
  std::filesystem::directory_iterator all(folder);
  return std::distance(begin(all), end(all));
}

long maps() {
  std::ifstream file("/proc/self/maps");
  std::string line;
  long count = 0;
  while (std::getline(file, line)) ++count;
  return count;
}

long memory() {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word && word != "VmRSS:") {
  }
  long kib = 0;
  file >> kib;
  return kib;
}

// The loader unpacks into /tmp/XXXXXX and ignores TMPDIR (model_package_loader.cpp, 2.11).
long folders() {
  long count = 0;
  for (const auto &entry : std::filesystem::directory_iterator("/tmp")) {
    const std::string name = entry.path().filename();
    const auto letter = [](unsigned char character) { return std::isalnum(character) != 0; };
    count += name.size() == 6 && std::all_of(name.begin(), name.end(), letter);
  }
  return count;
}

void print() {
  std::cout << memory() << ' ' << entries("/proc/self/fd") << ' ' << maps() << ' ' << folders() << std::endl;
}

void repeat(const char *package, int count, const at::Device &device) {
  for (int i = 0; i < count; ++i) {
    torch::inductor::AOTIModelPackageLoader loader(package);
    loader.run({at::ones({2, 3, 16, 16}, device)});
  }
}

}  // namespace

int main(int, char **arguments) try {
  const at::Device device = device_of(arguments[4]);
  const c10::InferenceMode inference;
  repeat(arguments[1], std::stoi(arguments[2]), device);
  print();
  repeat(arguments[1], std::stoi(arguments[3]), device);
  print();
} catch (const std::exception &failed) {
  std::cerr << failed.what() << std::endl;
  return 1;
}
