// Repeats 1,000 times: load, run, free; or set weights and reset them. After the first ten cycles
// memory does not grow. A leak of 1 KiB a cycle is found by the same measure.

#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

#include <functional>

#include "arrays.hpp"

namespace {

constexpr int WARM = 10, CYCLES = 1000;

long entries(const char *folder) {
  long count = 0;
  DIR *opened = opendir(folder);
  CHECK(opened != nullptr);
  while (readdir(opened) != nullptr) ++count;
  closedir(opened);
  return count;
}

long lines(const char *path) {
  std::ifstream file(path);
  long count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

long resident_kib() {
  std::ifstream file("/proc/self/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

struct Growth {
  long kib, files, maps, threads;
};

struct Process {
  long kib = resident_kib(), files = entries("/proc/self/fd"), maps = lines("/proc/self/maps"),
       threads = entries("/proc/self/task");
};

Growth growth(const std::function<void()> &cycle) {
  for (int i = 0; i < WARM; ++i) cycle();
  const Process before;
  for (int i = WARM; i < CYCLES; ++i) cycle();
  const Process after;
  const Growth grown = {after.kib - before.kib, after.files - before.files, after.maps - before.maps,
                        after.threads - before.threads};
  std::printf("%d cycles: %+ld KiB, %+ld files, %+ld maps, %+ld threads\n", CYCLES - WARM, grown.kib,
              grown.files, grown.maps, grown.threads);
  return grown;
}

/// Allows a quarter of the growth of a leak of 1 KiB a cycle, and one arena of the allocator.
bool flat(const Growth &grown) {
  return grown.kib < CYCLES / 2 && grown.files == 0 && grown.maps <= 4 && grown.threads == 0;
}

void load_run_free(const std::string &path, std::vector<Stored> inputs) {
  const pt2::Model model = pt2::Model::load(path);
  CHECK(!run_to_bytes(model, std::move(inputs)).empty());
}

/// Sets, reads and resets a weight that constant folding uses.
void set_run_reset(const pt2::Model &model, std::vector<Stored> inputs) {
  const std::string name = "layers.0.conv1.weight";
  const pt2::Tensor weight = model.parameter(name);
  model.set_parameter(name, pt2::Tensor::from(weight.values<float>(), weight.sizes()));
  CHECK(!run_to_bytes(model, std::move(inputs)).empty());
  model.reset_parameters();
}

void fail_to_load(const std::string &path) {
  try {
    pt2::Model::load(path);
  } catch (const pt2::Error &) {
    return;
  }
  CHECK(false);
}

}  // namespace

int main() {
  // Otherwise the arenas of short threads grow one after the other, eight for each core.
  mallopt(M_ARENA_MAX, 2);
  const std::string mapped = archive("2.11.0/mutation.pt2"), pickled = archive("2.6.0/tree.pt2");
  const std::string refused = archive("../special_archives/2.11.0/twice.pt2");
  const std::vector<Stored> rows = stored_calls("2.11.0/mutation")[0].inputs;
  const std::vector<Stored> tree = stored_calls("2.6.0/tree")[0].inputs;
  CHECK(flat(growth([&] { load_run_free(mapped, rows); })));
  CHECK(flat(growth([&] { load_run_free(pickled, tree); })));
  CHECK(flat(growth([&] { fail_to_load(refused); })));
  const pt2::Model folded = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  const std::vector<Stored> images = stored_calls("2.11.0/mini_resnet")[1].inputs;
  CHECK(flat(growth([&] { set_run_reset(folded, images); })));

  std::vector<std::vector<char>> leak;
  CHECK(!flat(growth([&] {
    load_run_free(mapped, rows);
    leak.emplace_back(1024, 'x');
  })));
  std::vector<pt2::Model> open;
  CHECK(!flat(growth([&] { open.push_back(pt2::Model::load(mapped)); })));
}
