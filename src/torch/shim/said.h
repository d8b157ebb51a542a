// What compiled code and libtorch's C shim print to std::cerr instead of reporting it.
#pragma once

#include <string>

namespace pt2 {

// While it lives, what this thread writes to std::cerr is kept here and printed nowhere. They nest.
class Said {
 public:
  Said();
  ~Said();
  Said(const Said &) = delete;
  Said &operator=(const Said &) = delete;

  // The reasons in it, without log prefixes and C++ traces.
  std::string reasons() const;

 private:
  std::string text_;
  std::string *outer_;
};

}  // namespace pt2
