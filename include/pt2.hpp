/// pt2.hpp: the C++17 face of pt2.h. Header-only; link with the same library.
///
/// Every class owns one handle, moves and does not copy, and frees it in its destructor. Failures are thrown
/// as pt2::Error and leave all arguments as they were. What pt2.h says about ownership and threads holds here
/// too: a Model may be run by any number of threads at once; a Tensor may be read by many threads or changed
/// by one.

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

namespace pt2 {

/// What went wrong. The numbers are those of pt2.h and never change.
enum class ErrorCode : std::int32_t {
  Argument = PT2_ERROR_ARGUMENT,
  Io = PT2_ERROR_IO,
  Archive = PT2_ERROR_ARCHIVE,
  Checksum = PT2_ERROR_CHECKSUM,
  Unsupported = PT2_ERROR_UNSUPPORTED,
  Program = PT2_ERROR_PROGRAM,
  Weight = PT2_ERROR_WEIGHT,
  MissingOperator = PT2_ERROR_MISSING_OPERATOR,
  Input = PT2_ERROR_INPUT,
  Device = PT2_ERROR_DEVICE,
  DeviceLost = PT2_ERROR_DEVICE_LOST,
  OutOfMemory = PT2_ERROR_OUT_OF_MEMORY,
  DeviceOutOfMemory = PT2_ERROR_DEVICE_OUT_OF_MEMORY,
  Operator = PT2_ERROR_OPERATOR,
  Internal = PT2_ERROR_INTERNAL,
  ForbiddenOperator = PT2_ERROR_FORBIDDEN_OPERATOR,
  OtherMachine = PT2_ERROR_OTHER_MACHINE,
  NativeCode = PT2_ERROR_NATIVE_CODE,
  Libtorch = PT2_ERROR_LIBTORCH,
  Forked = PT2_ERROR_FORKED,
  Exiting = PT2_ERROR_EXITING,
};

/// The type of a tensor's elements.
enum class Dtype : std::int32_t {
  UInt8 = PT2_DTYPE_UINT8,
  Int8 = PT2_DTYPE_INT8,
  Int16 = PT2_DTYPE_INT16,
  Int32 = PT2_DTYPE_INT32,
  Int64 = PT2_DTYPE_INT64,
  Float16 = PT2_DTYPE_FLOAT16,
  Float32 = PT2_DTYPE_FLOAT32,
  Float64 = PT2_DTYPE_FLOAT64,
  Complex32 = PT2_DTYPE_COMPLEX32,
  Complex64 = PT2_DTYPE_COMPLEX64,
  Complex128 = PT2_DTYPE_COMPLEX128,
  Bool = PT2_DTYPE_BOOL,
  BFloat16 = PT2_DTYPE_BFLOAT16,
  UInt16 = PT2_DTYPE_UINT16,
  UInt32 = PT2_DTYPE_UINT32,
  UInt64 = PT2_DTYPE_UINT64,
  Float8E4M3FN = PT2_DTYPE_FLOAT8_E4M3FN,
  Float8E5M2 = PT2_DTYPE_FLOAT8_E5M2,
  Float8E4M3FNUZ = PT2_DTYPE_FLOAT8_E4M3FNUZ,
  Float8E5M2FNUZ = PT2_DTYPE_FLOAT8_E5M2FNUZ,
  Float8E8M0FNU = PT2_DTYPE_FLOAT8_E8M0FNU,
};

/// What an input or output of a program is.
enum class Kind : std::int32_t {
  Tensor = PT2_KIND_TENSOR,
  Int = PT2_KIND_INT,
  Float = PT2_KIND_FLOAT,
  Bool = PT2_KIND_BOOL,
  String = PT2_KIND_STRING,
  None = PT2_KIND_NONE,
  Object = PT2_KIND_OBJECT,
};

/// What a weight was in the exported module.
enum class ParameterKind : std::int32_t {
  Parameter = PT2_PARAMETER,
  Buffer = PT2_BUFFER,
  TemporaryBuffer = PT2_TEMPORARY_BUFFER,
  Constant = PT2_CONSTANT,
};

/// How far the program may be changed to run faster.
enum class Optimization : std::int32_t {
  Default = PT2_OPTIMIZATION_DEFAULT,
  Exact = PT2_OPTIMIZATION_EXACT,
  Fast = PT2_OPTIMIZATION_FAST,
};

/// Whether CPU weights are mapped from the archive or copied out of it.
enum class Memory : std::int32_t {
  Auto = PT2_MEMORY_AUTO,
  Map = PT2_MEMORY_MAP,
  Copy = PT2_MEMORY_COPY,
};

/// The form of a model: an exported program, or code compiled from it.
enum class Form : std::int32_t {
  Auto = PT2_FORM_AUTO,
  Exported = PT2_FORM_EXPORTED,
  Compiled = PT2_FORM_COMPILED,
};

/// The one exception of this header.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string &message, std::string input = {})
      : std::runtime_error(message), code_(code), input_(std::move(input)) {}

  ErrorCode code() const noexcept { return code_; }
  /// The path name of the input at fault, such as `args[0]`; empty if it was none.
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

/// Throws the error, and frees it, if there is one.
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

/// How many elements the sizes describe.
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

/// The library's own version, such as "0.1.0".
inline std::string version() { return pt2_version(); }
/// The version of the libtorch in this process, such as "2.11.0".
inline std::string libtorch_version() { return pt2_libtorch_version(); }

/// Loads a library that registers operators, such as torchvision's; programs loaded later may call them.
inline void load_op_library(const std::string &path) { detail::check(pt2_load_op_library(path.c_str())); }

/// A tensor, or nothing: a default-made or moved-from Tensor stands for Python's None.
class Tensor {
 public:
  Tensor() = default;

  /// A contiguous CPU tensor that takes the vector over, without a copy.
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

  /// A contiguous tensor over the caller's memory, which must stay valid for as long as this tensor or
  /// anything that shares its storage (an output may) lives. A program that works in place writes to it.
  template <class T>
  static Tensor borrow(T *data, const std::vector<std::int64_t> &sizes, const std::string &device = "cpu") {
    return make(data, detail::dtype_of<T>(), sizes, nullptr, device, nullptr, nullptr);
  }

  /// The same for any dtype, with strides counted in elements (empty: contiguous).
  static Tensor borrow(void *data, Dtype dtype, const std::vector<std::int64_t> &sizes,
                       const std::vector<std::int64_t> &strides = {}, const std::string &device = "cpu") {
    if (!strides.empty() && strides.size() != sizes.size()) {
      throw Error(ErrorCode::Argument, "there must be as many strides as sizes");
    }
    return make(data, dtype, sizes, strides.empty() ? nullptr : strides.data(), device, nullptr, nullptr);
  }

  /// A 0-d tensor, which is also how int, float and bool inputs are passed.
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

  /// Takes the DLPack tensor over; its deleter runs when the storage is no longer used.
  static Tensor from_dlpack(struct DLManagedTensorVersioned *managed) {
    pt2_tensor *made = nullptr;
    detail::check(pt2_tensor_from_dlpack(managed, &made));
    return adopt(made);
  }

  /// A DLPack tensor on the same storage, owned by the caller.
  struct DLManagedTensorVersioned *to_dlpack() const {
    struct DLManagedTensorVersioned *managed = nullptr;
    detail::check(pt2_tensor_to_dlpack(handle(), &managed));
    return managed;
  }

  /// Takes over a handle of the C API.
  static Tensor adopt(pt2_tensor *handle) noexcept {
    Tensor tensor;
    tensor.handle_.reset(handle);
    return tensor;
  }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  pt2_tensor *handle() const noexcept { return handle_.get(); }

  Dtype dtype() const { return static_cast<Dtype>(pt2_tensor_dtype(handle())); }
  std::size_t rank() const { return pt2_tensor_rank(handle()); }
  std::vector<std::int64_t> sizes() const {
    const std::int64_t *first = pt2_tensor_sizes(handle());
    return first == nullptr ? std::vector<std::int64_t>() : std::vector<std::int64_t>(first, first + rank());
  }
  /// Counted in elements.
  std::vector<std::int64_t> strides() const {
    const std::int64_t *first = pt2_tensor_strides(handle());
    return first == nullptr ? std::vector<std::int64_t>() : std::vector<std::int64_t>(first, first + rank());
  }
  std::size_t element_count() const { return detail::element_count(pt2_tensor_sizes(handle()), rank()); }
  /// "cpu", "cuda:0", …
  std::string device() const {
    const char *device = pt2_tensor_device(handle());
    return device == nullptr ? "" : device;
  }

  /// The first element, on the tensor's device; valid while this tensor lives.
  void *data() const { return pt2_tensor_data(handle()); }
  template <class T>
  T *data() const {
    require(dtype() == detail::dtype_of<T>(), "the tensor's dtype is another one");
    return static_cast<T *>(data());
  }

  /// One element of a CPU tensor: `at<float>(row, column)`.
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

  /// All elements in order, copied to the CPU.
  template <class T>
  std::vector<T> values() const {
    const Tensor host = to_host();
    const T *first = host.data<T>();
    return std::vector<T>(first, first + host.element_count());
  }

  /// A contiguous tensor on the CPU; shares this one's storage if it is that already.
  Tensor to_host() const {
    pt2_tensor *host = nullptr;
    detail::check(pt2_tensor_to_host(handle(), &host));
    return adopt(host);
  }

  /// A contiguous tensor on `device`, such as "cuda:0"; shares this one's storage if it is that already. The
  /// copy is queued on `stream`, a cudaStream_t, or on the thread's current stream.
  Tensor to_device(const std::string &device, void *stream = nullptr) const {
    pt2_tensor *copy = nullptr;
    detail::check(pt2_tensor_to_device(handle(), device.c_str(), stream, &copy));
    return adopt(copy);
  }

  /// A second handle on the same storage.
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

/// One dimension of an input or output.
struct Dimension {
  std::int64_t size = -1;  ///< the fixed size, or -1 if a symbol stands for it
  std::string symbol;      ///< such as "s77" or "2*s77"; empty if the size is fixed
  std::int64_t min = 0;    ///< the bounds of the symbol; -1: none
  std::int64_t max = -1;
};

/// One input or output of a program.
struct Port {
  std::string name;  ///< where it stands in the call: `args[0]`, `kwargs["mask"]`, `result["logits"]`
  Kind kind = Kind::Tensor;
  Dtype dtype = Dtype::Float32;  ///< of a tensor
  std::vector<Dimension> dimensions;
  /// The value of what was fixed at export: a string as it is, `None`, `True`, `3` or `0.5` as Python spells
  /// it.
  std::optional<std::string> constant = {};
};

/// A weight that a program takes, as its archive stores it.
struct Parameter {
  std::string name;  ///< fully qualified: `layers.0.weight`
  ParameterKind kind = ParameterKind::Parameter;
  Dtype dtype = Dtype::Float32;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;  ///< counted in elements
};

struct LoadOptions {
  std::string device = {};  ///< "cpu", "cuda", "cuda:1"; empty: the one that the program was exported on
  std::string model = {};   ///< for archives with several; empty: the only one
  Optimization optimization = Optimization::Default;
  Memory memory = Memory::Auto;
  bool skip_checksums = false;
  bool without_cuda = false;  ///< counts at the first load of a process only
  /// Operators that may run although they reach outside of tensors, such as "aten::from_file".
  std::vector<std::string> allowed_operators = {};
  /// CUDA graphs that may be kept; 0: the library's choice, negative: none.
  std::int64_t cuda_graphs = 0;
  bool allow_native_code = false;       ///< compiled code may be loaded, which executes it
  Form form = Form::Auto;               ///< for archives that hold both
  std::string native_code_sha256 = {};  ///< what the code must have; empty: any
  std::size_t instances = 0;            ///< calls inside of compiled code at once; 0: the library's choice
  std::string kernel_folder = {};       ///< for links to CUDA kernels; empty: the system's temporary folder
  std::string tuning_folder = {};       ///< measure what is fastest on CUDA and keep it there; empty: do not
};

/// How a model's runs were launched.
struct Statistics {
  std::uint64_t cuda_graphs = 0;          ///< kept now
  std::uint64_t cuda_graph_launches = 0;  ///< runs that were a launch of one
  std::string cuda_graph_refusal = {};    ///< why runs go operator by operator; empty: no reason was met
};

struct RunOptions {
  void *stream = nullptr;  ///< a cudaStream_t; null: the current stream
};

/// A loaded program. All members but assignment may be called by many threads at once.
class Model {
 public:
  static Model load(const std::string &path, const LoadOptions &options = {}) {
    return load_with(options, [&](const pt2_load_options *raw, pt2_model **model) {
      return pt2_load(path.c_str(), raw, model);
    });
  }

  /// The same from the bytes of a file, which are copied.
  static Model load_from_memory(const void *data, std::size_t size, const LoadOptions &options = {}) {
    return load_with(options, [&](const pt2_load_options *raw, pt2_model **model) {
      return pt2_load_from_memory(data, size, raw, model);
    });
  }

  /// Runs the program on inputs that stay the caller's. The outputs may outlive the model.
  std::vector<Tensor> run(const std::vector<Tensor> &inputs, const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> handles = handles_of(inputs);
    return run_handles(handles.data(), handles.size(), options);
  }

  /// The same with the inputs written out: `model.run(image, mask)`.
  template <class... Tensors, std::enable_if_t<(std::is_same_v<Tensors, Tensor> && ...), int> = 0>
  std::vector<Tensor> run(const Tensors &...inputs) const {
    pt2_tensor *const handles[] = {inputs.handle()..., nullptr};
    return run_handles(handles, sizeof...(inputs), {});
  }

  /// The same with inputs by name, in any spelling that input_index takes; those left out are None. The
  /// outputs come in order.
  std::vector<Tensor> run_named(const std::map<std::string, Tensor> &inputs,
                                const RunOptions &options = {}) const {
    const std::size_t count = pt2_output_count(handle());
    std::vector<std::string> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = "OUTPUT__" + std::to_string(i);
    return run_by_name(inputs, all, options);
  }

  /// The same for some outputs by name, in any spelling that output_index takes.
  std::map<std::string, Tensor> run_named(const std::map<std::string, Tensor> &inputs,
                                          const std::vector<std::string> &outputs,
                                          const RunOptions &options = {}) const {
    std::vector<Tensor> tensors = run_by_name(inputs, outputs, options);
    std::map<std::string, Tensor> named;
    for (std::size_t i = 0; i < outputs.size(); ++i) named[outputs[i]] = std::move(tensors[i]);
    return named;
  }

  /// Runs the program and writes its outputs to tensors that exist; an empty one is for an output that nobody
  /// wants.
  void run_into(const std::vector<Tensor> &inputs, const std::vector<Tensor> &outputs,
                const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> from = handles_of(inputs), to = handles_of(outputs);
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_run_into(handle(), from.data(), from.size(), &raw, to.data(), to.size()));
  }

  /// Prepares calls with inputs like these, so that the first costs no more than later ones; nothing that a
  /// caller can see changes.
  void warm(const std::vector<Tensor> &inputs, const RunOptions &options = {}) const {
    const std::vector<pt2_tensor *> handles = handles_of(inputs);
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_warm(handle(), handles.data(), handles.size(), &raw));
  }

  /// A model of the same program on the same weights, with a state of its own that begins as this one is now.
  Model clone() const {
    pt2_model *made = nullptr;
    detail::check(pt2_clone(handle(), &made));
    return Model(made);
  }
  /// Puts what the program wrote to its own buffers back to what its weights are. Clones keep theirs.
  void reset_state(const RunOptions &options = {}) const {
    const pt2_run_options raw = raw_options(options);
    detail::check(pt2_reset_state(handle(), &raw));
  }

  /// The weights that the program takes, in its order.
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
  /// A weight as it is now. It shares the model's memory and must not be written to, unless the program
  /// writes to it: then it is a copy.
  Tensor parameter(const std::string &name) const {
    pt2_tensor *made = nullptr;
    detail::check(pt2_get_parameter(handle(), name.c_str(), &made));
    return Tensor::adopt(made);
  }
  /// Sets one weight. Its memory is shared where it is laid out and aligned as pt2_swap_parameters says.
  void set_parameter(const std::string &name, const Tensor &tensor) const {
    detail::check(pt2_set_parameter(handle(), name.c_str(), tensor.handle()));
  }
  /// Sets several weights at once: each call runs on all of the old ones or all of the new ones.
  void swap_parameters(const std::map<std::string, Tensor> &tensors) const {
    std::vector<const char *> names;
    std::vector<pt2_tensor *> handles;
    for (const auto &[name, tensor] : tensors) {
      names.push_back(name.c_str());
      handles.push_back(tensor.handle());
    }
    detail::check(pt2_swap_parameters(handle(), names.data(), handles.data(), names.size()));
  }
  /// Puts back what the archive holds: all weights that were set.
  void reset_parameters() const { detail::check(pt2_reset_parameters(handle(), nullptr, 0)); }
  /// The same for these weights only.
  void reset_parameters(const std::vector<std::string> &names) const {
    if (names.empty()) return;
    std::vector<const char *> raw;
    for (const std::string &name : names) raw.push_back(name.c_str());
    detail::check(pt2_reset_parameters(handle(), raw.data(), raw.size()));
  }
  /// Takes the weights of a clone, with all that was computed from them; the state stays as it is.
  void share_parameters(const Model &source) const {
    detail::check(pt2_share_parameters(handle(), source.handle()));
  }

  /// The position of an input: `args[0]`, `kwargs["mask"]`, or Triton's `INPUT__0`, `ARGS[0]`,
  /// `KWARGS[mask]`.
  std::size_t input_index(const std::string &name) const { return index_of(name, pt2_input_index); }
  /// The position of an output: `result["logits"]`, or Triton's `OUTPUT__0`, `RESULT[0][logits]`.
  std::size_t output_index(const std::string &name) const { return index_of(name, pt2_output_index); }

  std::vector<Port> inputs() const {
    return ports(pt2_input_count(handle()), pt2_input_info, pt2_input_dimension);
  }
  std::vector<Port> outputs() const {
    return ports(pt2_output_count(handle()), pt2_output_info, pt2_output_dimension);
  }
  /// "cpu", "cuda:0", …
  std::string device() const { return pt2_model_device(handle()); }
  /// Its name in the archive.
  std::string name() const { return pt2_model_name(handle()); }
  /// Whether calls depend on those before them, and take turns.
  bool mutates() const noexcept { return pt2_model_mutates(handle()); }
  /// In which form it runs: Form::Exported or Form::Compiled.
  Form form() const { return static_cast<Form>(pt2_model_form(handle())); }
  /// What calls are not checked for.
  std::vector<std::string> unchecked() const {
    std::vector<std::string> all;
    while (const char *text = pt2_model_unchecked(handle(), all.size())) all.emplace_back(text);
    return all;
  }
  /// What it did so far.
  Statistics statistics() const {
    pt2_statistics raw{};
    raw.struct_size = sizeof raw;
    detail::check(pt2_model_statistics(handle(), &raw));
    return {raw.cuda_graphs, raw.cuda_graph_launches,
            raw.cuda_graph_refusal == nullptr ? "" : raw.cuda_graph_refusal};
  }
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

}  // namespace pt2

#endif
