// A descriptor of cuDNN's backend interface: attributes are set, then it is finalized and read-only.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "library.h"

namespace pt2::cudnn {

class Descriptor {
 public:
  explicit Descriptor(Kind kind);

  RawDescriptor raw() const { return raw_.get(); }

  template <class Value>
  Descriptor &set(Name name, Type type, const Value &value) {
    return set(name, type, 1, &value);
  }
  template <class Value>
  Descriptor &set(Name name, Type type, const std::vector<Value> &values) {
    return set(name, type, static_cast<int64_t>(values.size()), values.data());
  }
  Descriptor &set(Name name, const Descriptor &other);
  Descriptor &set(Name name, Type type, int64_t count, const void *values);

  // False where cuDNN says that this cannot be.
  bool try_finalize();
  Descriptor &finalize();

  template <class Value>
  std::vector<Value> get(Name name, Type type, size_t most) const {
    std::vector<Value> values(most);
    values.resize(get(name, type, most, values.data()));
    return values;
  }

  // Descriptors are returned into ones that were made before.
  std::vector<Descriptor> get(Name name, Kind kind, size_t most) const;

 private:
  size_t get(Name name, Type type, size_t room, void *values) const;

  struct Free {
    void operator()(RawDescriptor raw) const { library()->free(raw); }
  };
  std::unique_ptr<void, Free> raw_;
};

}  // namespace pt2::cudnn
