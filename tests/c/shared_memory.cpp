// Shared memory exists once: the pages of one file, and a tensor set in many models. A control
// finds copies where they must exist.

#include <malloc.h>

#include <cstdlib>
#include <cstring>

#include "arrays.hpp"

namespace {

constexpr int MODELS = 300;
const char *const NAME = "2.11.0/folded.pt2";

/// Returns the anonymous memory of this process in KiB.
long anonymous_kib() {
  malloc_trim(0);
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("Anonymous:", 0) == 0) return std::stol(line.substr(10));
  }
  std::exit(77);
}

std::vector<pt2::Model> load(pt2::Memory memory) {
  pt2::LoadOptions options;
  options.memory = memory;
  options.optimization = pt2::Optimization::Exact;
  std::vector<pt2::Model> models;
  for (int i = 0; i < MODELS; ++i) models.push_back(pt2::Model::load(archive(NAME), options));
  return models;
}

long size_kib(const char *name) {
  std::ifstream file(archive(name), std::ios::binary | std::ios::ate);
  return static_cast<long>(file.tellg()) / 1024;
}

void loads_share_the_file() {
  load(pt2::Memory::Map);
  const long before = anonymous_kib();
  long mapped = 0, copied = 0;
  {
    const auto models = load(pt2::Memory::Map);
    mapped = anonymous_kib() - before;
  }
  {
    const auto models = load(pt2::Memory::Copy);
    copied = anonymous_kib() - before;
  }
  const long copies = MODELS * size_kib(NAME);
  std::printf("%d loads: %ld KiB mapped, %ld KiB copied, the files are %ld KiB\n", MODELS, mapped, copied,
              copies);
  CHECK(copied - mapped > copies * 3 / 4);
}

/// Returns the growth after setting one tensor in every model, at an address `offset` bytes after a
/// multiple of 64. `left` is the growth that remains after all models were reset.
long grown_by_setting(const std::vector<pt2::Model> &models, std::size_t offset, long *left) {
  const pt2::Parameter parameter = models[0].parameters().at(0);
  const std::vector<float> values = models[0].parameter(parameter.name).values<float>();
  const std::size_t bytes = values.size() * sizeof(float);
  char *memory = static_cast<char *>(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
  std::memcpy(memory + offset, values.data(), bytes);
  const pt2::Tensor given = pt2::Tensor::borrow(reinterpret_cast<float *>(memory + offset), parameter.sizes);
  const long before = anonymous_kib();
  for (const pt2::Model &model : models) model.set_parameter(parameter.name, given);
  const long grown = anonymous_kib() - before;
  for (const pt2::Model &model : models) model.reset_parameters();
  *left = anonymous_kib() - before;
  std::printf("%d models set to %zu bytes at %zu: %+ld KiB, put back: %+ld KiB\n", MODELS, bytes, offset,
              grown, *left);
  std::free(memory);
  return grown;
}

void a_tensor_is_shared_by_all() {
  const auto models = load(pt2::Memory::Map);
  const long copies =
      MODELS * models[0].parameter(models[0].parameters().at(0).name).element_count() * 4 / 1024;
  long left = 0;
  grown_by_setting(models, 0, &left);
  CHECK(grown_by_setting(models, 0, &left) < copies / 4 && left < copies / 4);
  CHECK(grown_by_setting(models, 4, &left) > copies * 3 / 4 && left < copies / 2);
}

}  // namespace

int main() {
  loads_share_the_file();
  a_tensor_is_shared_by_all();
}
