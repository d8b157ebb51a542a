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

// Made when the library is opened, so that there is one when memory is short.
ShimError *const kExhausted =
    new ShimError{FailureKind::OutOfMemory, "out of memory while reporting an error"};

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
ShimError *make(FailureKind kind, Text &&text) noexcept {
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
    return make(FailureKind::DeviceOutOfMemory, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const c10::AcceleratorError &error) {
    auto kind = error.get_error_code() == 2                ? FailureKind::DeviceOutOfMemory
                : loses_the_device(error.get_error_code()) ? FailureKind::DeviceLost
                                                           : FailureKind::Failed;
    return make(kind, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const c10::Error &error) {
    auto kind =
        is_host_exhaustion(error.what_without_backtrace()) ? FailureKind::OutOfMemory : FailureKind::Failed;
    return make(kind, [&] { return first_part(error.what_without_backtrace()); });
  } catch (const std::bad_alloc &) {
    return make(FailureKind::OutOfMemory, [] { return std::string("the host has no memory left"); });
  } catch (const std::exception &error) {
    return make(FailureKind::Failed, [&] { return std::string(error.what()); });
  } catch (...) {
    return make(FailureKind::Failed,
                [] { return std::string("an operator threw something that is no exception"); });
  }
}

}  // namespace pt2

using pt2::FailureKind;
using pt2::ShimError;
using pt2::TestException;

extern "C" {

// noexcept: reads a field.
FailureKind shim_error_kind(const ShimError *error) noexcept { return error->kind; }

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

// Throws what an operator might throw and reports it: the tests' way to reach every branch above.
ShimError *shim_error_provoke(TestException exception) noexcept {
  return pt2::guarded([&] {
    switch (exception) {
      case TestException::Check:
        TORCH_CHECK(false, "provoked");
      case TestException::BadAlloc:
        throw std::bad_alloc();
      case TestException::DeviceOutOfMemory:
        TORCH_CHECK_WITH(OutOfMemoryError, false, "provoked");
      case TestException::DeviceAssert:
        throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, 710, "provoked");
      case TestException::Int:
        throw 7;
      default:
        throw std::runtime_error("provoked");
    }
  });
}
}
