/// @file pt2.hpp
/// @brief The C++17 interface of libpt2: classes over pt2.h.
///
/// The header has no library of its own. Link with libpt2.
///
/// Each class owns one handle, frees it in its destructor, and is movable but not copyable.
/// Failures are thrown as pt2::Error and leave all arguments unmodified. The rules of pt2.h for
/// ownership and threads apply: any number of threads may run one Model at the same time. A Tensor
/// may be read by many threads, or changed by one.
///
/// Members have the `@since` of their class, unless they have one of their own.

#ifndef PT2_HPP
#define PT2_HPP

#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pt2.h"

/// @brief The C++17 interface of libpt2.
namespace pt2 {

/// @defgroup pt2_cpp C++ interface
/// @brief Classes over the C interface.
/// @{

/// @brief The kind of an error. The numbers are those of `pt2_status` and never change.
///
/// @since 0.1.0
enum class ErrorCode : std::int32_t {
  /// An argument of the call is invalid.
  Argument = PT2_ERROR_ARGUMENT,
  /// The operating system failed to open, read or map the file.
  Io = PT2_ERROR_IO,
  /// The file is not an archive, or it is ambiguous.
  Archive = PT2_ERROR_ARCHIVE,
  /// The bytes of an entry do not match their checksum.
  Checksum = PT2_ERROR_CHECKSUM,
  /// The archive needs a feature that libpt2 does not have.
  Unsupported = PT2_ERROR_UNSUPPORTED,
  /// The program contradicts itself or its schema.
  Program = PT2_ERROR_PROGRAM,
  /// A weight is missing, damaged or does not fit.
  Weight = PT2_ERROR_WEIGHT,
  /// The process does not have some operators.
  MissingOperator = PT2_ERROR_MISSING_OPERATOR,
  /// An input has the wrong count, kind, dtype, device, rank or size.
  Input = PT2_ERROR_INPUT,
  /// The requested device cannot be used.
  Device = PT2_ERROR_DEVICE,
  /// The device failed.
  DeviceLost = PT2_ERROR_DEVICE_LOST,
  /// Host memory ran out.
  OutOfMemory = PT2_ERROR_OUT_OF_MEMORY,
  /// Device memory ran out.
  DeviceOutOfMemory = PT2_ERROR_DEVICE_OUT_OF_MEMORY,
  /// An operator rejected its arguments or failed.
  Operator = PT2_ERROR_OPERATOR,
  /// libtorch failed outside any node, or libpt2 has a bug.
  Internal = PT2_ERROR_INTERNAL,
  /// The program calls operators that are not permitted.
  ForbiddenOperator = PT2_ERROR_FORBIDDEN_OPERATOR,
  /// The code was compiled for another machine or PyTorch.
  OtherMachine = PT2_ERROR_OTHER_MACHINE,
  /// Compiled code was not permitted or not loadable.
  NativeCode = PT2_ERROR_NATIVE_CODE,
  /// libtorch, or the engine for it, could not be loaded.
  Libtorch = PT2_ERROR_LIBTORCH,
  /// The process was forked after the first call.
  Forked = PT2_ERROR_FORKED,
  /// The process is exiting.
  Exiting = PT2_ERROR_EXITING,
};

/// @brief The element type of a tensor. The numbers are those of `pt2_dtype`.
///
/// @since 0.1.0
enum class Dtype : std::int32_t {
  UInt8 = PT2_DTYPE_UINT8,                     ///< `torch.uint8`.
  Int8 = PT2_DTYPE_INT8,                       ///< `torch.int8`.
  Int16 = PT2_DTYPE_INT16,                     ///< `torch.int16`.
  Int32 = PT2_DTYPE_INT32,                     ///< `torch.int32`.
  Int64 = PT2_DTYPE_INT64,                     ///< `torch.int64`.
  Float16 = PT2_DTYPE_FLOAT16,                 ///< `torch.float16`.
  Float32 = PT2_DTYPE_FLOAT32,                 ///< `torch.float32`.
  Float64 = PT2_DTYPE_FLOAT64,                 ///< `torch.float64`.
  Complex32 = PT2_DTYPE_COMPLEX32,             ///< `torch.complex32`.
  Complex64 = PT2_DTYPE_COMPLEX64,             ///< `torch.complex64`.
  Complex128 = PT2_DTYPE_COMPLEX128,           ///< `torch.complex128`.
  Bool = PT2_DTYPE_BOOL,                       ///< `torch.bool`.
  BFloat16 = PT2_DTYPE_BFLOAT16,               ///< `torch.bfloat16`.
  UInt16 = PT2_DTYPE_UINT16,                   ///< `torch.uint16`.
  UInt32 = PT2_DTYPE_UINT32,                   ///< `torch.uint32`.
  UInt64 = PT2_DTYPE_UINT64,                   ///< `torch.uint64`.
  Float8E4M3FN = PT2_DTYPE_FLOAT8_E4M3FN,      ///< `torch.float8_e4m3fn`.
  Float8E5M2 = PT2_DTYPE_FLOAT8_E5M2,          ///< `torch.float8_e5m2`.
  Float8E4M3FNUZ = PT2_DTYPE_FLOAT8_E4M3FNUZ,  ///< `torch.float8_e4m3fnuz`.
  Float8E5M2FNUZ = PT2_DTYPE_FLOAT8_E5M2FNUZ,  ///< `torch.float8_e5m2fnuz`.
  Float8E8M0FNU = PT2_DTYPE_FLOAT8_E8M0FNU,    ///< `torch.float8_e8m0fnu`.
};

/// @brief The kind of value that an input or output holds.
///
/// @since 0.1.0
enum class Kind : std::int32_t {
  /// A tensor.
  Tensor = PT2_KIND_TENSOR,
  /// An int, as a 0-d tensor.
  Int = PT2_KIND_INT,
  /// A float, as a 0-d tensor.
  Float = PT2_KIND_FLOAT,
  /// A bool, as a 0-d tensor.
  Bool = PT2_KIND_BOOL,
  /// A string that was fixed at export, as an empty Tensor.
  String = PT2_KIND_STRING,
  /// Python's None, as an empty Tensor.
  None = PT2_KIND_NONE,
  /// An object that a caller cannot pass.
  Object = PT2_KIND_OBJECT,
};

/// @brief The role of a weight in the exported module.
///
/// @since 0.1.0
enum class ParameterKind : std::int32_t {
  /// A parameter.
  Parameter = PT2_PARAMETER,
  /// A buffer in the state dict.
  Buffer = PT2_BUFFER,
  /// A buffer that is not in the state dict.
  TemporaryBuffer = PT2_TEMPORARY_BUFFER,
  /// A tensor that was a constant in the Python code.
  Constant = PT2_CONSTANT,
};

/// @brief The optimisation level: how far the optimiser may rewrite a program.
///
/// @since 0.1.0
enum class Optimization : std::int32_t {
  /// The default of the library: `Fast`.
  Default = PT2_OPTIMIZATION_DEFAULT,
  /// Outputs are bit-for-bit those of PyTorch.
  Exact = PT2_OPTIMIZATION_EXACT,
  /// Operations may be regrouped at the same precision settings.
  Fast = PT2_OPTIMIZATION_FAST,
};

/// @brief The storage of the archive's bytes, see `pt2_memory`.
///
/// @since 0.1.0
enum class Memory : std::int32_t {
  /// `Copy` if another user may change the file, else `Map`.
  Auto = PT2_MEMORY_AUTO,
  /// Private pages of the file, which must not change meanwhile.
  Map = PT2_MEMORY_MAP,
  /// A copy of the file.
  Copy = PT2_MEMORY_COPY,
};

/// @brief The form of a model: an exported program, or code compiled from it.
///
/// @since 0.1.0
enum class Form : std::int32_t {
  /// The compiled form if it is permitted and fits, else the program.
  Auto = PT2_FORM_AUTO,
  /// The exported program.
  Exported = PT2_FORM_EXPORTED,
  /// Code compiled by AOTInductor.
  Compiled = PT2_FORM_COMPILED,
};

/// @brief The only exception that this header throws on its own account.
///
/// @since 0.1.0
class Error : public std::runtime_error {
 public:
  /// @brief Makes an error.
  ///
  /// @param code The kind of the error.
  /// @param message The message.
  /// @param input The name of the input that caused it; empty if there is none.
  Error(ErrorCode code, const std::string &message, std::string input = {})
      : std::runtime_error(message), code_(code), input_(std::move(input)) {}

  /// @brief Returns the kind of the error.
  /// @return The code.
  ErrorCode code() const noexcept { return code_; }

  /// @brief Returns the name of the input that caused the error.
  /// @return The path name, such as `args[0]`. Empty if no single input caused the error.
  const std::string &input() const noexcept { return input_; }

 private:
  ErrorCode code_;
  std::string input_;
};

namespace detail {

struct Free {
  void operator()(pt2_error *error) const noexcept { pt2_error_free(error); }
  void operator()(pt2_tensor *tensor) const noexcept { pt2_tensor_free(tensor); }
  void operator()(pt2_model *model) const noexcept { pt2_free(model); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

/// Throws and frees an error. Does nothing for NULL.
inline void check(pt2_error *raw) {
  if (raw == nullptr) return;
  const Owned<pt2_error> error(raw);
  const char *input = pt2_error_input(raw);
  throw Error(static_cast<ErrorCode>(pt2_error_code(raw)), pt2_error_message(raw),
              input == nullptr ? "" : input);
}

inline const char *null_if_empty(const std::string &text) { return text.empty() ? nullptr : text.c_str(); }

template <class>
inline constexpr bool always_false = false;

template <class T>
constexpr Dtype dtype_of() {
  constexpr bool is_signed = std::is_signed_v<T>;
  if constexpr (std::is_same_v<T, bool>) {
    return Dtype::Bool;
  } else if constexpr (std::is_same_v<T, float>) {
    return Dtype::Float32;
  } else if constexpr (std::is_same_v<T, double>) {
    return Dtype::Float64;
  } else if constexpr (std::is_same_v<T, std::complex<float>>) {
    return Dtype::Complex64;
  } else if constexpr (std::is_same_v<T, std::complex<double>>) {
    return Dtype::Complex128;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 1) {
    return is_signed ? Dtype::Int8 : Dtype::UInt8;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 2) {
    return is_signed ? Dtype::Int16 : Dtype::UInt16;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) {
    return is_signed ? Dtype::Int32 : Dtype::UInt32;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    return is_signed ? Dtype::Int64 : Dtype::UInt64;
  } else {
    static_assert(always_false<T>,
                  "no tensor has elements of this type; use the overload that takes a Dtype");
  }
}

/// Returns the product of the sizes.
inline std::size_t element_count(const std::int64_t *sizes, std::size_t rank) {
  std::int64_t count = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t size = sizes[i];
    if (size < 0 || (size > 0 && count > std::numeric_limits<std::int64_t>::max() / size)) {
      throw Error(ErrorCode::Argument, "a size is negative, or there are too many elements to count");
    }
    count *= size;
  }
  return static_cast<std::size_t>(count);
}

inline std::size_t element_count(const std::vector<std::int64_t> &sizes) {
  return element_count(sizes.data(), sizes.size());
}

}  // namespace detail

/// @brief Returns the version of libpt2, such as "0.1.0".
/// @return The version.
/// @since 0.1.0
inline std::string version() { return pt2_version(); }

/// @brief Returns the version of the libtorch in this process, such as "2.11.0".
///
/// Loads libtorch if that was not done yet.
///
/// @return The version.
/// @since 0.1.0
inline std::string libtorch_version() { return pt2_libtorch_version(); }

/// @brief Loads a library that registers operators, such as torchvision's.
///
/// Programs that are loaded later may call the operators. Thread-safe.
///
/// @param path The file. No folders are searched.
/// @throws Error if the library cannot be loaded.
/// @since 0.1.0
inline void load_op_library(const std::string &path) { detail::check(pt2_load_op_library(path.c_str())); }

/// @brief A tensor, or nothing: an empty Tensor stands for Python's None.
///
/// A Tensor is empty if it was default-constructed or moved from. Tensors share memory by reference
/// counting.
///
/// @par Thread safety
/// Any number of threads may read one Tensor. Not thread-safe: every other use is limited to one
/// thread at a time.
///
/// @since 0.1.0
class Tensor {
 public:
  /// @brief Makes an empty Tensor.
  Tensor() = default;

  /// @brief Makes a contiguous CPU tensor that owns the elements of a vector.
  ///
  /// The elements are not copied.
  ///
  /// @tparam T The element type.
  /// @param values The elements in order.
  /// @param sizes The sizes.
  /// @return The tensor.
  /// @throws Error if `sizes` do not describe as many elements as `values` has.
  template <class T>
  static Tensor from(std::vector<T> values, const std::vector<std::int64_t> &sizes) {
    static_assert(!std::is_same_v<T, bool>, "std::vector<bool> holds bits; use borrow with an array of bool");
    if (values.size() != detail::element_count(sizes)) {
      throw Error(ErrorCode::Argument, "the sizes describe " + std::to_string(detail::element_count(sizes)) +
                                           " elements, the vector has " + std::to_string(values.size()));
    }
    auto held = std::make_unique<std::vector<T>>(std::move(values));
    const auto release = [](void *context) { delete static_cast<std::vector<T> *>(context); };
    Tensor made = make(held->data(), detail::dtype_of<T>(), sizes, nullptr, "cpu", release, held.get());
    held.release();
    return made;
  }

  /// @brief Makes a contiguous tensor on the caller's memory.
  ///
  /// The memory must stay valid until this tensor and everything that shares its memory, such as an
  /// output, are destroyed. A program that works in place writes to it.
  ///
  /// @tparam T The element type.
  /// @param data The first element.
  /// @param sizes The sizes.
  /// @param device The device that the memory belongs to.
  /// @return The tensor.
  /// @throws Error if an argument is invalid.
  template <class T>
  static Tensor borrow(T *data, const std::vector<std::int64_t> &sizes, const std::string &device = "cpu") {
    return make(data, detail::dtype_of<T>(), sizes, nullptr, device, nullptr, nullptr);
  }

  /// @brief Makes a tensor of any dtype and strides on the caller's memory.
  ///
  /// The memory must stay valid as for the other overload.
  ///
  /// @param data The first element.
  /// @param dtype The element type.
  /// @param sizes The sizes.
  /// @param strides The strides, counted in elements. Empty for a contiguous tensor.
  /// @param device The device that the memory belongs to.
  /// @return The tensor.
  /// @throws Error if an argument is invalid.
  static Tensor borrow(void *data, Dtype dtype, const std::vector<std::int64_t> &sizes,
                       const std::vector<std::int64_t> &strides = {}, const std::string &device = "cpu") {
    if (!strides.empty() && strides.size() != sizes.size()) {
      throw Error(ErrorCode::Argument, "there must be as many strides as sizes");
    }
    return make(data, dtype, sizes, strides.empty() ? nullptr : strides.data(), device, nullptr, nullptr);
  }

  /// @brief Makes a 0-d tensor on the CPU, to pass an int, a float or a bool.
  ///
  /// Integers become int64, floating-point numbers float64.
  ///
  /// @tparam T The type of the value.
  /// @param value The value.
  /// @return The tensor.
  /// @throws Error if the tensor cannot be made.
  template <class T>
  static Tensor scalar(T value) {
    static_assert(std::is_arithmetic_v<T>, "a scalar is a bool, an integer or a floating-point number");
    pt2_tensor *made = nullptr;
    if constexpr (std::is_same_v<T, bool>) {
      detail::check(pt2_tensor_from_bool(value, &made));
    } else if constexpr (std::is_integral_v<T>) {
      detail::check(pt2_tensor_from_int(static_cast<std::int64_t>(value), &made));
    } else {
      detail::check(pt2_tensor_from_float(static_cast<double>(value), &made));
    }
    return adopt(made);
  }

  /// @brief Imports a DLPack tensor without a copy.
  ///
  /// On success the tensor owns `managed`, whose deleter runs when the memory is no longer used. On
  /// failure the caller still owns it.
  ///
  /// @param managed The DLPack tensor.
  /// @return The tensor.
  /// @throws Error as pt2_tensor_from_dlpack() fails.
  static Tensor from_dlpack(struct DLManagedTensorVersioned *managed) {
    pt2_tensor *made = nullptr;
    detail::check(pt2_tensor_from_dlpack(managed, &made));
    return adopt(made);
  }

  /// @brief Exports the tensor as DLPack without a copy.
  /// @return A DLPack tensor on the same memory, owned by the caller.
  /// @throws Error if the tensor is empty.
  struct DLManagedTensorVersioned *to_dlpack() const {
    struct DLManagedTensorVersioned *managed = nullptr;
    detail::check(pt2_tensor_to_dlpack(handle(), &managed));
    return managed;
  }

  /// @brief Takes ownership of a handle of the C interface.
  /// @param handle The handle, or NULL for an empty Tensor.
  /// @return The tensor.
  static Tensor adopt(pt2_tensor *handle) noexcept {
    Tensor tensor;
    tensor.handle_.reset(handle);
    return tensor;
  }

  /// @brief Returns whether the Tensor is not empty.
  explicit operator bool() const noexcept { return handle_ != nullptr; }

  /// @brief Returns the handle of the C interface, which the Tensor keeps.
  /// @return The handle. NULL if the Tensor is empty.
  pt2_tensor *handle() const noexcept { return handle_.get(); }

  /// @brief Returns the element type.
  /// @return The element type. 0 if the Tensor is empty.
  Dtype dtype() const { return static_cast<Dtype>(pt2_tensor_dtype(handle())); }

  /// @brief Returns the number of dimensions.
  /// @return The number. 0 if the Tensor is empty.
  std::size_t rank() const { return pt2_tensor_rank(handle()); }

  /// @brief Returns the sizes.
  /// @return One size for each dimension.
  std::vector<std::int64_t> sizes() const {
    const std::int64_t *first = pt2_tensor_sizes(handle());
    return first == nullptr ? std::vector<std::int64_t>() : std::vector<std::int64_t>(first, first + rank());
  }

  /// @brief Returns the strides, counted in elements.
  /// @return One stride for each dimension.
  std::vector<std::int64_t> strides() const {
    const std::int64_t *first = pt2_tensor_strides(handle());
    return first == nullptr ? std::vector<std::int64_t>() : std::vector<std::int64_t>(first, first + rank());
  }

  /// @brief Returns the number of elements.
  /// @return The product of the sizes.
  std::size_t element_count() const { return detail::element_count(pt2_tensor_sizes(handle()), rank()); }

  /// @brief Returns the device, such as "cpu" or "cuda:0".
  /// @return The device. Empty if the Tensor is empty.
  std::string device() const {
    const char *device = pt2_tensor_device(handle());
    return device == nullptr ? "" : device;
  }

  /// @brief Returns the address of the first element, on the tensor's device.
  /// @return The address, valid until this Tensor is destroyed. NULL if there are no elements.
  void *data() const { return pt2_tensor_data(handle()); }

  /// @brief Returns the typed address of the first element, on the tensor's device.
  /// @tparam T The element type.
  /// @return The address, valid until this Tensor is destroyed.
  /// @throws Error if the tensor has another dtype.
  template <class T>
  T *data() const {
    require(dtype() == detail::dtype_of<T>(), "the tensor's dtype is another one");
    return static_cast<T *>(data());
  }

  /// @brief Returns one element of a CPU tensor: `at<float>(row, column)`.
  ///
  /// @tparam T The element type.
  /// @tparam Indices Integer types.
  /// @param indices One index for each dimension.
  /// @return The element, valid until this Tensor is destroyed.
  /// @throws Error if the tensor is not on the CPU, has another dtype, or an index is out of range.
  template <class T, class... Indices>
  const T &at(Indices... indices) const {
    require(device() == "cpu", "elements are read on the CPU; call to_host() first");
    require(sizeof...(indices) == rank(), "there must be one index for each dimension");
    const std::int64_t index[] = {static_cast<std::int64_t>(indices)..., 0};
    const std::int64_t *sizes = pt2_tensor_sizes(handle());
    const std::int64_t *strides = pt2_tensor_strides(handle());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < sizeof...(indices); ++i) {
      require(index[i] >= 0 && index[i] < sizes[i], "an index is outside the tensor");
      offset += index[i] * strides[i];
    }
    return data<T>()[offset];
  }

  /// @brief Copies all elements to the host, in contiguous order.
  /// @tparam T The element type.
  /// @return The elements.
  /// @throws Error if the tensor has another dtype, or the copy fails.
  template <class T>
  std::vector<T> values() const {
    const Tensor host = to_host();
    const T *first = host.data<T>();
    return std::vector<T>(first, first + host.element_count());
  }

  /// @brief Returns a contiguous tensor on the CPU with the same values.
  ///
  /// Waits until the work that fills the tensor is done. The result shares memory if this tensor is
  /// contiguous and on the CPU already.
  ///
  /// @return The tensor.
  /// @throws Error if the copy fails.
  Tensor to_host() const {
    pt2_tensor *host = nullptr;
    detail::check(pt2_tensor_to_host(handle(), &host));
    return adopt(host);
  }

  /// @brief Returns a contiguous tensor on a device with the same values.
  ///
  /// The result shares memory if this tensor is contiguous and on the device already.
  ///
  /// @param device The target, such as "cuda:0".
  /// @param stream The `cudaStream_t` on which the copy is queued. NULL for the thread's current
  ///   stream.
  /// @return The tensor.
  /// @throws Error if the copy fails.
  Tensor to_device(const std::string &device, void *stream = nullptr) const {
    pt2_tensor *copy = nullptr;
    detail::check(pt2_tensor_to_device(handle(), device.c_str(), stream, &copy));
    return adopt(copy);
  }

  /// @brief Makes a second handle on the same memory.
  /// @return The tensor.
  /// @throws Error if the Tensor is empty.
  Tensor share() const {
    pt2_tensor *copy = nullptr;
    detail::check(pt2_tensor_share(handle(), &copy));
    return adopt(copy);
  }

 private:
  static Tensor make(void *data, Dtype dtype, const std::vector<std::int64_t> &sizes,
                     const std::int64_t *strides, const std::string &device, pt2_release release,
                     void *context) {
    pt2_tensor *made = nullptr;
    detail::check(pt2_tensor_from_memory(data, static_cast<std::int32_t>(dtype), sizes.data(), strides,
                                         sizes.size(), detail::null_if_empty(device), release, context,
                                         &made));
    return adopt(made);
  }

  static void require(bool holds, const char *otherwise) {
    if (!holds) throw Error(ErrorCode::Argument, otherwise);
  }

  detail::Owned<pt2_tensor> handle_;
};

/// @brief One dimension of an input or output.
///
/// @since 0.1.0
struct Dimension {
  std::int64_t size = -1;  ///< The size, or -1 for a dynamic size.
  std::string symbol;      ///< The symbol or expression, such as "2*s77". Empty for a fixed size.
  std::int64_t min = 0;    ///< The smallest accepted size. -1 if it is unbounded.
  std::int64_t max = -1;   ///< The largest accepted size. -1 if it is unbounded.
};

/// @brief One input or output of a program.
///
/// @since 0.1.0
struct Port {
  /// The path name: `args[0]`, `kwargs["mask"]` or `result["logits"]`.
  std::string name;
  Kind kind = Kind::Tensor;           ///< The kind of value.
  Dtype dtype = Dtype::Float32;       ///< The element type of a tensor.
  std::vector<Dimension> dimensions;  ///< The dimensions of a tensor.

  /// @brief The value that was fixed at export, if any. A string is as it is. Any other kind is
  /// spelled as in Python, such as `None`, `True`, `3` or `0.5`.
  std::optional<std::string> constant = {};
};

/// @brief One weight of a program, as its archive stores it.
///
/// @since 0.1.0
struct Parameter {
  /// The fully qualified name, such as `layers.0.weight`.
  std::string name;
  ParameterKind kind = ParameterKind::Parameter;  ///< The role in the exported module.
  Dtype dtype = Dtype::Float32;                   ///< The element type.
  std::vector<std::int64_t> sizes;                ///< The sizes.
  std::vector<std::int64_t> strides;              ///< The strides, counted in elements.
};

/// @brief Options for loading a model. The defaults are those of `pt2_load_options`.
///
/// @since 0.1.0
struct LoadOptions {
  /// @brief The device: "cpu", "cuda" or "cuda:1". Empty for the device of the export.
  std::string device = {};
  /// @brief The name of the model in an archive that holds several. Empty for the only one.
  std::string model = {};
  /// @brief The optimisation level.
  Optimization optimization = Optimization::Default;
  /// @brief The storage of the archive's bytes.
  Memory memory = Memory::Auto;
  /// @brief Skips the comparison of stored checksums. Damaged weights then load without an error.
  bool skip_checksums = false;
  /// @brief Leaves libtorch's CUDA library unloaded. Only the first load of a process decides this.
  bool without_cuda = false;
  /// @brief Operators to permit that are refused by default, such as "aten::from_file".
  std::vector<std::string> allowed_operators = {};
  /// @brief The maximum number of CUDA graphs to keep. 0 for the default, negative for none.
  std::int64_t cuda_graphs = 0;
  /// @brief Permits code compiled by AOTInductor. Loading such code executes it.
  bool allow_native_code = false;
  /// @brief The form to load, for archives that hold both.
  Form form = Form::Auto;
  /// @brief The SHA-256 that the native code must have. Empty for any.
  std::string native_code_sha256 = {};
  /// @brief The maximum number of concurrent calls of compiled code. 0 for the default.
  std::size_t instances = 0;
  /// @brief An existing folder for links to CUDA kernels. Empty for the system's temporary folder.
  std::string kernel_folder = {};
  /// @brief An existing folder for autotuning results on CUDA. Empty for no autotuning.
  /// Experimental.
  std::string tuning_folder = {};
};

/// @brief Counters of the runs of a model.
///
/// @since 0.1.0
struct Statistics {
  std::uint64_t cuda_graphs = 0;          ///< CUDA graphs that are kept now.
  std::uint64_t cuda_graph_launches = 0;  ///< Runs that were the launch of a CUDA graph.
  std::string cuda_graph_refusal = {};    ///< Why runs use no CUDA graph. Empty for no reason.
};

/// @brief Options for one run of a model.
///
/// @since 0.1.0
struct RunOptions {
  void *stream = nullptr;  ///< A `cudaStream_t`. NULL for the current stream of the thread.
};

/// @brief A loaded program with its weights on one device.
///
/// @par Thread safety
/// Thread-safe: any number of threads may call the members at the same time. Not thread-safe: move
/// construction and assignment, and the destructor.
///
/// @since 0.1.0
class Model {
 public:
  /// @brief Loads a model from an archive.
  ///
  /// @param path The file.
  /// @param options The options.
  /// @return The model.
  /// @throws Error as pt2_load() fails.
  static Model load(const std::string &path, const LoadOptions &options = {}) {
    return load_with(options, [&](const pt2_load_options *raw, pt2_model **model) {
      return pt2_load(path.c_str(), raw, model);
    });
  }

  /// @brief Loads a model from the bytes of an archive, which are copied.
  ///
  /// @param data The bytes.
  /// @param size The number of bytes.
  /// @param options The options.
  /// @return The model.
  /// @throws Error as pt2_load_from_memory() fails.
  static Model load_from_memory(const void *data, std::size_t size, const LoadOptions &options = {}) {
    return load_with(options, [&](const pt2_load_options *raw, pt2_model **model) {
      return pt2_load_from_memory(data, size, raw, model);
    });
  }

  /// @brief Runs the program once.
  ///
  /// The inputs still belong to the caller. The outputs may outlive the model.
  ///
  /// @param inputs One tensor for each input. An empty one stands for None.
  /// @param options The options.
  /// @return One tensor for each output. It is empty for None and for a string.
  /// @throws Error as pt2_run() fails.
  std::vector<Tensor> run(const std::vector<Tensor> &inputs, const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> handles = handles_of(inputs);
    return run_handles(handles.data(), handles.size(), options);
  }

  /// @brief Runs the program once on the arguments: `model.run(image, mask)`.
  ///
  /// @tparam Tensors Tensor.
  /// @param inputs One tensor for each input. An empty one stands for None.
  /// @return One tensor for each output. It is empty for None and for a string.
  /// @throws Error as pt2_run() fails.
  template <class... Tensors, std::enable_if_t<(std::is_same_v<Tensors, Tensor> && ...), int> = 0>
  std::vector<Tensor> run(const Tensors &...inputs) const {
    pt2_tensor *const handles[] = {inputs.handle()..., nullptr};
    return run_handles(handles, sizeof...(inputs), {});
  }

  /// @brief Runs the program once, with inputs by name.
  ///
  /// @param inputs The inputs by name, in any spelling that input_index() accepts. Inputs that are
  ///   left out are None.
  /// @param options The options.
  /// @return One tensor for each output, in order.
  /// @throws Error as pt2_run_named() fails.
  std::vector<Tensor> run_named(const std::map<std::string, Tensor> &inputs,
                                const RunOptions &options = {}) const {
    const std::size_t count = pt2_output_count(handle());
    std::vector<std::string> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = "OUTPUT__" + std::to_string(i);
    return run_by_name(inputs, all, options);
  }

  /// @brief Runs the program once, with inputs and outputs by name.
  ///
  /// @param inputs The inputs by name, in any spelling that input_index() accepts. Inputs that are
  ///   left out are None.
  /// @param outputs The names of the outputs, in any spelling that output_index() accepts.
  /// @param options The options.
  /// @return The outputs by these names.
  /// @throws Error as pt2_run_named() fails.
  std::map<std::string, Tensor> run_named(const std::map<std::string, Tensor> &inputs,
                                          const std::vector<std::string> &outputs,
                                          const RunOptions &options = {}) const {
    std::vector<Tensor> tensors = run_by_name(inputs, outputs, options);
    std::map<std::string, Tensor> named;
    for (std::size_t i = 0; i < outputs.size(); ++i) named[outputs[i]] = std::move(tensors[i]);
    return named;
  }

  /// @brief Runs the program once and writes its outputs to existing tensors.
  ///
  /// @param inputs One tensor for each input.
  /// @param outputs One tensor for each output. An empty one stands for an output that is not
  ///   wanted.
  /// @param options The options.
  /// @throws Error as pt2_run_into() fails.
  void run_into(const std::vector<Tensor> &inputs, const std::vector<Tensor> &outputs,
                const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> from = handles_of(inputs), to = handles_of(outputs);
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_run_into(handle(), from.data(), from.size(), &raw, to.data(), to.size()));
  }

  /// @brief Prepares the model for inputs of these shapes.
  ///
  /// After a warm-up, the first such call costs no more than later ones. Only statistics() shows a
  /// difference.
  ///
  /// @param inputs One tensor for each input.
  /// @param options The options.
  /// @throws Error as pt2_warm() fails.
  void warm(const std::vector<Tensor> &inputs, const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> handles = handles_of(inputs);
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_warm(handle(), handles.data(), handles.size(), &raw));
  }

  /// @brief Clones the model: the same program and weights with a state of its own.
  ///
  /// The state of the clone starts as the current state of this model.
  ///
  /// @return The clone.
  /// @throws Error as pt2_clone() fails.
  Model clone() const {
    pt2_model *made = nullptr;
    detail::check(pt2_clone(handle(), &made));
    return Model(made);
  }

  /// @brief Resets the values that the program wrote to its state to the weights. Clones keep their
  /// states.
  ///
  /// @param options The options.
  /// @throws Error as pt2_reset_state() fails.
  void reset_state(const RunOptions &options = {}) const {
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_reset_state(handle(), &raw));
  }

  /// @brief Returns the weights of the program, in its order.
  /// @return The descriptions.
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all(pt2_parameter_count(handle()));
    for (std::size_t i = 0; i < all.size(); ++i) {
      pt2_parameter raw{};
      raw.struct_size = sizeof raw;
      detail::check(pt2_parameter_info(handle(), i, &raw));
      all[i] = {raw.name, static_cast<ParameterKind>(raw.kind), static_cast<Dtype>(raw.dtype),
                std::vector<std::int64_t>(raw.sizes, raw.sizes + raw.rank),
                std::vector<std::int64_t>(raw.strides, raw.strides + raw.rank)};
    }
    return all;
  }

  /// @brief Returns the current value of a weight.
  ///
  /// The tensor shares the model's memory and must not be written to. It is a copy if the program
  /// writes to the weight, and for compiled code.
  ///
  /// @param name The fully qualified name.
  /// @return The tensor.
  /// @throws Error as pt2_get_parameter() fails.
  Tensor parameter(const std::string &name) const {
    pt2_tensor *made = nullptr;
    detail::check(pt2_get_parameter(handle(), name.c_str(), &made));
    return Tensor::adopt(made);
  }

  /// @brief Sets one weight.
  ///
  /// The memory of the tensor is shared if its strides and alignment are those that
  /// pt2_swap_parameters() requires.
  ///
  /// @param name The fully qualified name.
  /// @param tensor The new value.
  /// @throws Error as pt2_set_parameter() fails.
  void set_parameter(const std::string &name, const Tensor &tensor) const {
    detail::check(pt2_set_parameter(handle(), name.c_str(), tensor.handle()));
  }

  /// @brief Sets several weights at once: each call runs on the old weight set or on the new one.
  ///
  /// @param tensors The new values by fully qualified name.
  /// @throws Error as pt2_swap_parameters() fails.
  void swap_parameters(const std::map<std::string, Tensor> &tensors) const {
    std::vector<const char *> names;
    std::vector<pt2_tensor *> handles;
    for (const auto &[name, tensor] : tensors) {
      names.push_back(name.c_str());
      handles.push_back(tensor.handle());
    }
    detail::check(pt2_swap_parameters(handle(), names.data(), handles.data(), names.size()));
  }

  /// @brief Resets all weights that were set to the values in the archive.
  /// @throws Error as pt2_reset_parameters() fails.
  void reset_parameters() const { detail::check(pt2_reset_parameters(handle(), nullptr, 0)); }

  /// @brief Resets the named weights to the values in the archive.
  /// @param names Fully qualified names.
  /// @throws Error as pt2_reset_parameters() fails.
  void reset_parameters(const std::vector<std::string> &names) const {
    if (names.empty()) return;
    std::vector<const char *> raw;
    for (const std::string &name : names) raw.push_back(name.c_str());
    detail::check(pt2_reset_parameters(handle(), raw.data(), raw.size()));
  }

  /// @brief Takes the weight set of a clone, with all values computed from it. The state is kept.
  /// @param source A clone of this model, its original, or a clone of the same original.
  /// @throws Error as pt2_share_parameters() fails.
  void share_parameters(const Model &source) const {
    detail::check(pt2_share_parameters(handle(), source.handle()));
  }

  /// @brief Finds an input by its name.
  /// @param name `args[0]`, `kwargs["mask"]`, or Triton's `INPUT__0`, `ARGS[0]`, `KWARGS[mask]`.
  /// @return The index.
  /// @throws Error if there is no such input; the message lists all names.
  std::size_t input_index(const std::string &name) const { return index_of(name, pt2_input_index); }

  /// @brief Finds an output by its name.
  /// @param name `result["logits"]`, or Triton's `OUTPUT__0`, `RESULT[0][logits]`.
  /// @return The index.
  /// @throws Error if there is no such output; the message lists all names.
  std::size_t output_index(const std::string &name) const { return index_of(name, pt2_output_index); }

  /// @brief Returns the inputs, with Python's nested arguments flattened.
  /// @return The descriptions.
  std::vector<Port> inputs() const {
    return ports(pt2_input_count(handle()), pt2_input_info, pt2_input_dimension);
  }

  /// @brief Returns the outputs, with Python's nested results flattened.
  /// @return The descriptions.
  std::vector<Port> outputs() const {
    return ports(pt2_output_count(handle()), pt2_output_info, pt2_output_dimension);
  }

  /// @brief Returns the device that the model runs on, such as "cpu" or "cuda:0".
  /// @return The device.
  std::string device() const { return pt2_model_device(handle()); }

  /// @brief Returns the name of the model in its archive.
  /// @return The name.
  std::string name() const { return pt2_model_name(handle()); }

  /// @brief Returns whether the program writes to its own state. Calls then run one after the
  /// other.
  /// @return True if it does.
  bool mutates() const noexcept { return pt2_model_mutates(handle()); }

  /// @brief Returns the form in which the model runs.
  /// @return Form::Exported or Form::Compiled.
  Form form() const { return static_cast<Form>(pt2_model_form(handle())); }

  /// @brief Returns the conditions that calls do not check, see pt2_model_unchecked().
  /// @return One sentence for each condition.
  std::vector<std::string> unchecked() const {
    std::vector<std::string> all;
    while (const char *text = pt2_model_unchecked(handle(), all.size())) all.emplace_back(text);
    return all;
  }

  /// @brief Returns the counters of the model.
  /// @return The counters.
  Statistics statistics() const {
    pt2_statistics raw{};
    raw.struct_size = sizeof raw;
    detail::check(pt2_model_statistics(handle(), &raw));
    return {raw.cuda_graphs, raw.cuda_graph_launches,
            raw.cuda_graph_refusal == nullptr ? "" : raw.cuda_graph_refusal};
  }

  /// @brief Returns the handle of the C interface, which the Model keeps.
  /// @return The handle.
  const pt2_model *handle() const noexcept { return handle_.get(); }

 private:
  explicit Model(pt2_model *handle) noexcept : handle_(handle) {}

  template <class Load>
  static Model load_with(const LoadOptions &options, Load load) {
    std::vector<const char *> allowed;
    for (const std::string &name : options.allowed_operators) allowed.push_back(name.c_str());
    pt2_load_options raw{};
    raw.struct_size = sizeof raw;
    raw.device = detail::null_if_empty(options.device);
    raw.model = detail::null_if_empty(options.model);
    raw.optimization = static_cast<std::int32_t>(options.optimization);
    raw.memory = static_cast<std::int32_t>(options.memory);
    raw.skip_checksums = options.skip_checksums ? 1 : 0;
    raw.without_cuda = options.without_cuda ? 1 : 0;
    raw.allowed_operators = allowed.data();
    raw.allowed_operator_count = allowed.size();
    raw.cuda_graphs = options.cuda_graphs;
    raw.allow_native_code = options.allow_native_code;
    raw.form = static_cast<std::int32_t>(options.form);
    raw.native_code_sha256 = detail::null_if_empty(options.native_code_sha256);
    raw.instances = options.instances;
    raw.kernel_folder = detail::null_if_empty(options.kernel_folder);
    raw.tuning_folder = detail::null_if_empty(options.tuning_folder);
    pt2_model *model = nullptr;
    detail::check(load(&raw, &model));
    return Model(model);
  }

  static pt2_run_options raw_options(const RunOptions &options) noexcept {
    pt2_run_options raw{};
    raw.struct_size = sizeof raw;
    raw.stream = options.stream;
    return raw;
  }

  static std::vector<pt2_tensor *> handles_of(const std::vector<Tensor> &tensors) {
    std::vector<pt2_tensor *> handles;
    handles.reserve(tensors.size());
    for (const Tensor &tensor : tensors) handles.push_back(tensor.handle());
    return handles;
  }

  template <class Find>
  std::size_t index_of(const std::string &name, Find find) const {
    std::size_t index = 0;
    detail::check(find(handle(), name.c_str(), &index));
    return index;
  }

  std::vector<Tensor> run_handles(pt2_tensor *const *inputs, std::size_t count,
                                  const RunOptions &options) const {
    const pt2_run_options raw = raw_options(options);
    std::vector<pt2_tensor *> handles(pt2_output_count(handle()));
    std::vector<Tensor> outputs(handles.size());
    detail::check(pt2_run(handle(), inputs, count, &raw, handles.data(), handles.size()));
    for (std::size_t i = 0; i < handles.size(); ++i) outputs[i] = Tensor::adopt(handles[i]);
    return outputs;
  }

  std::vector<Tensor> run_by_name(const std::map<std::string, Tensor> &inputs,
                                  const std::vector<std::string> &outputs, const RunOptions &options) const {
    std::vector<const char *> input_names, output_names;
    std::vector<pt2_tensor *> given, taken(outputs.size());
    for (const auto &[name, tensor] : inputs) {
      input_names.push_back(name.c_str());
      given.push_back(tensor.handle());
    }
    for (const std::string &name : outputs) output_names.push_back(name.c_str());
    const pt2_run_options raw = raw_options(options);
    std::vector<Tensor> tensors(outputs.size());
    detail::check(pt2_run_named(handle(), input_names.data(), given.data(), given.size(), output_names.data(),
                                taken.data(), taken.size(), &raw));
    for (std::size_t i = 0; i < taken.size(); ++i) tensors[i] = Tensor::adopt(taken[i]);
    return tensors;
  }

  template <class Info, class DimensionInfo>
  std::vector<Port> ports(std::size_t count, Info info, DimensionInfo dimension_info) const {
    std::vector<Port> ports(count);
    for (std::size_t i = 0; i < count; ++i) {
      pt2_port_info raw{};
      raw.struct_size = sizeof raw;
      detail::check(info(handle(), i, &raw));
      ports[i].name = raw.name;
      ports[i].kind = static_cast<Kind>(raw.kind);
      ports[i].dtype = static_cast<Dtype>(raw.dtype);
      if (raw.constant != nullptr) ports[i].constant = raw.constant;
      for (std::size_t d = 0; d < raw.rank; ++d) {
        pt2_dimension dimension{};
        dimension.struct_size = sizeof dimension;
        detail::check(dimension_info(handle(), i, d, &dimension));
        ports[i].dimensions.push_back({dimension.size, dimension.symbol == nullptr ? "" : dimension.symbol,
                                       dimension.min, dimension.max});
      }
    }
    return ports;
  }

  detail::Owned<pt2_model> handle_;
};

/// @}

}  // namespace pt2

#endif
