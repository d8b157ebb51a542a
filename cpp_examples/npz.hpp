/// Reads the .npz files that numpy.savez writes: a zip of uncompressed .npy arrays. Float32 in C
/// order only.

#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Array {
  std::vector<std::int64_t> sizes;
  std::vector<float> values;
};

/// Reads a little-endian number of `width` bytes.
inline std::uint64_t number(const std::string &bytes, std::size_t at, std::size_t width) {
  if (at + width > bytes.size()) throw std::runtime_error("the .npz file is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Parses `\x93NUMPY`, version, header length, a Python dict as text, then the values.
inline Array parse_npy(const std::string &npy) {
  const std::size_t width = number(npy, 6, 1) == 1 ? 2 : 4;
  const std::size_t start = 8 + width + number(npy, 8, width);
  const std::string header = npy.substr(8 + width, start - 8 - width);
  if (header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error("an array is not float32 in C order: " + header);
  }
  Array array;
  std::size_t count = 1;
  for (std::size_t at = header.find('(') + 1; at < header.find(')');) {
    array.sizes.push_back(std::stoll(header.substr(at)));
    count *= static_cast<std::size_t>(array.sizes.back());
    at = header.find_first_of(",)", at) + 1;
    if (header.find_first_not_of(" ", at) == header.find(')')) break;
  }
  if (start + count * sizeof(float) != npy.size()) throw std::runtime_error("an array has another length");
  const char *first = npy.data() + start;
  array.values.resize(count);
  std::copy(first, first + count * sizeof(float), reinterpret_cast<char *>(array.values.data()));
  return array;
}

/// Returns the arrays by name, without the ending `.npy`.
inline std::map<std::string, Array> read_npz(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  const std::string zip{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::map<std::string, Array> arrays;
  std::size_t at = 0;
  while (number(zip, at, 4) == 0x04034b50) {  // a local file header; the central directory ends the loop
    const std::size_t name_size = number(zip, at + 26, 2), extra_size = number(zip, at + 28, 2);
    const std::string name = zip.substr(at + 30, name_size);
    const std::size_t extra = at + 30 + name_size, body = extra + extra_size;
    std::uint64_t size = number(zip, at + 18, 4);
    if (size == 0xffffffff) size = number(zip, extra + 12, 8);  // ZIP64: tag, length, full size, stored size
    if (number(zip, at + 8, 2) != 0) throw std::runtime_error(name + " is compressed; use numpy.savez");
    if (size > zip.size() - body) throw std::runtime_error("the .npz file is cut short");
    arrays[name.substr(0, name.rfind(".npy"))] = parse_npy(zip.substr(body, size));
    at = body + size;
  }
  return arrays;
}
