// Differences between the versions of libtorch that libpt2 builds with (2.9 to 2.15). No other file
// asks for the version of the headers.
#pragma once

#include <ATen/Context.h>
#include <torch/version.h>

#include <cstdint>

namespace pt2 {

// Version of the headers, as aoti_torch_abi_version() states a library's: major, minor and patch
// are the top three bytes. Up to 2.9, TORCH_ABI_VERSION is no constant of 64 bits in parentheses.
constexpr uint64_t kHeadersVersion = uint64_t{TORCH_VERSION_MAJOR} << 56 |
                                     uint64_t{TORCH_VERSION_MINOR} << 48 |
                                     uint64_t{TORCH_VERSION_PATCH} << 40;

// Returns true if cuDNN's convolutions may round their inputs to TF32.
inline bool allows_tf32_convolutions(const at::Context &settings) {
#if TORCH_VERSION_MINOR >= 10
  return settings.allowTF32CuDNN(at::Float32Op::CONV);
#else
  return settings.allowTF32CuDNN("conv");
#endif
}

}  // namespace pt2
