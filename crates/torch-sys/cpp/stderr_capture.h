// Captures what compiled code and libtorch's C shim print to std::cerr instead of reporting it.
#pragma once

#include <string>

namespace pt2 {

// While it lives, what this thread writes to std::cerr is kept here and printed nowhere. They nest.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();
  StderrCapture(const StderrCapture &) = delete;
  StderrCapture &operator=(const StderrCapture &) = delete;

  // The reasons in it, without log prefixes and C++ traces.
  std::string reasons() const;

 private:
  std::string text_;
  std::string *outer_;
};

}  // namespace pt2
