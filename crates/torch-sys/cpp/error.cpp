#include <c10/util/Exception.h>

#include <cstring>
#include <new>

#include "shim.h"

namespace pt2 {
namespace {

// cudaError_t values after which a context is unusable (CUDA runtime API, "sticky" errors). In
// order: illegal address, launch timeout, assert, hardware stack, illegal instruction, misaligned
// address, invalid address space, invalid pc, launch failure, ECC.
bool loses_the_device(int32_t code) {
  return code == 214 || code == 700 || code == 702 ||
         (code >= 710 && code <= 719 && code != 712 && code != 713);
}

bool is_host_exhaustion(const char *message) {
  return strstr(message, "can't allocate memory") || strstr(message, "not enough memory");
}

// Allocated when the library is opened, so that it exists when memory runs out.
ShimError *const kExhausted = new ShimError{ErrorKind::OutOfMemory, "out of memory while reporting an error"};

// libtorch appends a C++ stack trace and advice on environment variables, which do not help a
// caller.
std::string first_part(const char *text) {
  std::string message(text);
  for (const char *tail :
       {"\nCUDA kernel errors might be", "\nException raised from", "\nFor debugging consider"}) {
    message = message.substr(0, message.find(tail));
  }
  return message;
}

// `text` may allocate. If that fails, the error reports exhausted memory.
template <class Text>
ShimError *make(ErrorKind kind, Text &&text) noexcept {
  return guarded_or(kExhausted, [&] { return new ShimError{kind, text()}; });
}

class Silent : public c10::WarningHandler {
  void process(const c10::Warning &) override {}
};

}  // namespace

c10::WarningHandler *silence() noexcept {
  static Silent handler;
  return &handler;
}

ShimError *current_exception() noexcept {
  try {
    throw;
  } catch (const c10::OutOfMemoryError &error) {
    return make(ErrorKind::DeviceOutOfMemory, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const c10::AcceleratorError &error) {
    auto kind = error.get_error_code() == 2                ? ErrorKind::DeviceOutOfMemory
                : loses_the_device(error.get_error_code()) ? ErrorKind::DeviceLost
                                                           : ErrorKind::Failed;
    return make(kind, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const c10::Error &error) {
    auto kind =
        is_host_exhaustion(error.what_without_backtrace()) ? ErrorKind::OutOfMemory : ErrorKind::Failed;
    return make(kind, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const std::bad_alloc &) {
    return make(ErrorKind::OutOfMemory, [] { return std::string("the host has no memory left"); });
  } catch (const std::exception &error) {
    return make(ErrorKind::Failed, [&] { return std::string(error.what()); });
  } catch (...) {
    return make(ErrorKind::Failed,
                [] { return std::string("an operator threw something that is no exception"); });
  }
}

}  // namespace pt2

using pt2::ShimError;

extern "C" {

// noexcept: reads a field.
int32_t shim_error_kind(const ShimError *error) noexcept { return static_cast<int32_t>(error->kind); }

// noexcept: reads a field.
const char *shim_error_message(const ShimError *error, size_t *length) noexcept {
  *length = error->message.size();
  return error->message.data();
}

// noexcept: destructors do not throw.
void shim_error_free(ShimError *error) noexcept {
  if (error != pt2::kExhausted) {
    delete error;
  }
}

// Throws and reports each kind of exception, so that tests reach every branch above.
ShimError *shim_error_provoke(int32_t what) {
  return pt2::guarded([&] {
    switch (what) {
      case 0:
        TORCH_CHECK(false, "provoked");
      case 1:
        throw std::bad_alloc();
      case 2:
        TORCH_CHECK_WITH(OutOfMemoryError, false, "provoked");
      case 3:
        throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, 710, "provoked");
      case 4:
        throw 7;
      default:
        throw std::runtime_error("provoked");
    }
  });
}
}
