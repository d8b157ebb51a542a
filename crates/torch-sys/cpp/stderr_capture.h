// Captures the text that compiled code and libtorch's C shim print to std::cerr instead of
// reporting.
#pragma once

#include <string>

namespace pt2 {

// Captures this thread's writes to std::cerr during its lifetime, instead of printing them.
// Captures nest.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();
  StderrCapture(const StderrCapture &) = delete;
  StderrCapture &operator=(const StderrCapture &) = delete;

  // Returns the captured reasons without log prefixes and C++ traces.
  std::string reasons() const;

 private:
  std::string text_;
  std::string *outer_;
};

}  // namespace pt2
