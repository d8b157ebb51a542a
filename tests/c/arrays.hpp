/// Reads the .npz files that make_archives.py stored beside each archive: arrays of any dtype, by
/// call.

#pragma once

#include <pt2.hpp>

#include "../../cpp_examples/npz.hpp"
#include "check.h"

struct Stored {
  pt2::Dtype dtype = pt2::Dtype::Float32;
  std::vector<std::int64_t> sizes;
  std::string bytes;

  pt2::Tensor tensor() { return pt2::Tensor::borrow(bytes.data(), dtype, sizes); }
};

struct StoredCall {
  std::vector<Stored> inputs, outputs;
};

inline pt2::Dtype dtype_named(const std::string &name) {
  static const std::map<std::string, pt2::Dtype> names = {
      {"<f4", pt2::Dtype::Float32}, {"<f8", pt2::Dtype::Float64}, {"<i8", pt2::Dtype::Int64},
      {"<i4", pt2::Dtype::Int32},   {"|i1", pt2::Dtype::Int8},    {"|b1", pt2::Dtype::Bool},
      {"<u2", pt2::Dtype::BFloat16}};  // numpy has no bfloat16: the script stores its bits
  return names.at(name);
}

inline Stored parse_stored(const std::string &npy) {
  const std::size_t start = 10 + number(npy, 8, 2);
  const std::string header = npy.substr(10, start - 10);
  const std::size_t descr = header.find("'descr': '") + 10;
  CHECK(header.find("'fortran_order': False") != std::string::npos);
  Stored stored;
  stored.dtype = dtype_named(header.substr(descr, header.find('\'', descr) - descr));
  const std::size_t open = header.find('(') + 1;
  std::string sizes = header.substr(open, header.find(')') - open);
  while (sizes.find_first_of("0123456789") != std::string::npos) {
    stored.sizes.push_back(std::stoll(sizes));
    sizes = sizes.find(',') == std::string::npos ? "" : sizes.substr(sizes.find(',') + 1);
  }
  stored.bytes = npy.substr(start);
  return stored;
}

inline std::map<std::string, Stored> read_stored(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string zip{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::map<std::string, Stored> arrays;
  for (std::size_t at = 0; number(zip, at, 4) == 0x04034b50;) {
    const std::size_t name_size = number(zip, at + 26, 2), extra = at + 30 + name_size;
    const std::size_t body = extra + number(zip, at + 28, 2);
    const std::uint64_t short_size = number(zip, at + 18, 4);
    const std::uint64_t size = short_size == 0xffffffff ? number(zip, extra + 12, 8) : short_size;
    const std::string name = zip.substr(at + 30, name_size);
    arrays[name.substr(0, name.find('.'))] = parse_stored(zip.substr(body, size));
    at = body + size;
  }
  return arrays;
}

/// Returns the calls stored beside "2.11.0/tree", in order.
inline std::vector<StoredCall> stored_calls(const std::string &name) {
  const auto arrays = read_stored(archive((name + ".npz").c_str()));
  const auto take = [&arrays](const std::string &prefix) {
    std::vector<Stored> taken;
    for (int i = 0;; ++i) {
      auto found = arrays.find(prefix + std::to_string(i));
      if (found == arrays.end()) found = arrays.find(prefix + std::to_string(i) + "_bf16");
      if (found == arrays.end()) return taken;
      taken.push_back(found->second);
    }
  };
  std::vector<StoredCall> calls;
  for (int call = 0;; ++call) {
    const std::string k = std::to_string(call) + "_";
    calls.push_back({take("in" + k), take("out" + k)});
    if (calls.back().outputs.empty()) break;
  }
  calls.pop_back();
  CHECK(!calls.empty());
  return calls;
}

/// Returns the bytes of a tensor, contiguous and on the host.
inline std::string bytes_of(const pt2::Tensor &tensor, std::size_t element_size) {
  const pt2::Tensor host = tensor.to_host();
  const std::size_t count = host.element_count();
  return count == 0 ? std::string()
                    : std::string(static_cast<const char *>(host.data()), count * element_size);
}

inline std::vector<std::string> run_to_bytes(const pt2::Model &model, std::vector<Stored> inputs) {
  std::vector<pt2::Tensor> tensors;
  for (Stored &input : inputs) tensors.push_back(input.tensor());
  std::vector<std::string> all;
  for (const pt2::Tensor &output : model.run(tensors)) {
    const bool wide = output.dtype() == pt2::Dtype::Int64 || output.dtype() == pt2::Dtype::Float64;
    all.push_back(bytes_of(output, wide ? 8 : output.dtype() == pt2::Dtype::BFloat16 ? 2 : 4));
  }
  return all;
}
