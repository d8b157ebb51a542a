// Removes the unpacked package that PyTorch's loader leaves below /tmp if the process exits without
// freeing it, as the programs here do.

#ifndef BENCH_UNPACKED_HPP
#define BENCH_UNPACKED_HPP

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace bench {

/// Returns the folder in a line of /proc/self/maps, `/tmp/XXXXXX` (model_package_loader.cpp, 2.11),
/// or an empty string.
inline std::string unpacked_folder(const std::string &line) {
  const std::size_t start = line.find("/tmp/"), length = 11;
  if (start == std::string::npos || line.find("/data/aotinductor/", start) == std::string::npos) return {};
  return line.find('/', start + 5) == start + length ? line.substr(start, length) : std::string();
}

inline void remove_unpacked() {
  std::ifstream maps("/proc/self/maps");
  std::error_code ignored;
  for (std::string line; std::getline(maps, line);) {
    const std::string folder = unpacked_folder(line);
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }
}

/// Called once by programs that load packages.
inline void remove_unpacked_at_exit() { std::at_quick_exit(remove_unpacked); }

}  // namespace bench

#endif
