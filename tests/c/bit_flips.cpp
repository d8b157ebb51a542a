// Flips single bits of a small archive: the result is an error or the same outputs, never others.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arrays.hpp"

namespace {

/// Unnamed file in memory.
struct Scratch {
  int descriptor = memfd_create("flip", 0);
  std::string path = "/proc/self/fd/" + std::to_string(descriptor);

  void write(const std::string &bytes) const {
    CHECK(pwrite(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  ~Scratch() { close(descriptor); }
};

struct Tally {
  std::size_t flips = 0, loaded = 0, different = 0;
};

using Outputs = std::vector<std::vector<std::string>>;

/// Includes the ports: a changed name or bound counts as a change.
Outputs everything(const std::string &path, const std::vector<StoredCall> &calls) {
  pt2::LoadOptions options;
  options.memory = pt2::Memory::Copy;
  const pt2::Model model = pt2::Model::load(path, options);
  Outputs all;
  for (const StoredCall &call : calls) all.push_back(run_to_bytes(model, call.inputs));
  for (const std::vector<pt2::Port> &ports : {model.inputs(), model.outputs()}) {
    for (const pt2::Port &port : ports) {
      all.push_back({port.name, std::to_string(static_cast<int>(port.dtype))});
      for (const pt2::Dimension &d : port.dimensions) {
        all.push_back({std::to_string(d.size), d.symbol, std::to_string(d.min), std::to_string(d.max)});
      }
    }
  }
  return all;
}

/// Flips every bit of every byte, or one bit of each byte at alternating positions.
void flip(const std::string &name, bool every_bit, Tally &tally) {
  const std::vector<StoredCall> calls = stored_calls(name);
  std::ifstream file(archive((name + ".pt2").c_str()), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Scratch scratch;
  scratch.write(bytes);
  const Outputs expected = everything(scratch.path, calls);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (std::size_t bit = every_bit ? 0 : at * 5 % 8; bit < 8; bit += every_bit ? 1 : 8) {
      const char whole = bytes[at];
      bytes[at] = static_cast<char>(whole ^ (1 << bit));
      scratch.write(bytes);
      bytes[at] = whole;
      ++tally.flips;
      try {
        const Outputs found = everything(scratch.path, calls);
        ++tally.loaded;
        if (found != expected) {
          ++tally.different;
          std::fprintf(stderr, "%s: byte %zu, bit %zu: other outputs\n", name.c_str(), at, bit);
        }
      } catch (const pt2::Error &error) {
        CHECK(error.code() != pt2::ErrorCode::Internal);
      }
    }
  }
}

}  // namespace

int main() {
  pt2_set_cpu_threads(1);
  Tally tally;
  flip("2.6.0/mutation", true, tally);
  flip("2.11.0/mutation", true, tally);
  flip("2.8.0/mutation", false, tally);
  flip("2.15.0/dtypes", false, tally);
  std::printf("%zu flips: %zu loaded, %zu with other outputs\n", tally.flips, tally.loaded, tally.different);
  CHECK(tally.flips > 150000 && tally.different == 0);
}
