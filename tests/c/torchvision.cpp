// Detection operators: an error without torchvision's library, and PyTorch's bits with it.
#include <dlfcn.h>

#include <pt2.hpp>

#include "arrays.hpp"
#include "check.h"

namespace {

const char *const PROGRAMS[] = {"../special_archives/2.11.0/regions",
                                "../special_archives/2.11.0/regions_core"};

void all_that_is_missing_is_named() {
  for (const char *program : PROGRAMS) {
    const std::string path = archive((std::string(program) + ".pt2").c_str());
    for (const char *words :
         {"torchvision::nms.default", "torchvision::roi_align.default", "`torchvision` usually comes with",
          "libtorchvision.so", "pt2_load_op_library"}) {
      pt2_model *model = nullptr;
      FAILS(PT2_ERROR_MISSING_OPERATOR, words, pt2_load(path.c_str(), nullptr, &model));
    }
  }
}

#ifdef PT2_TORCHVISION
void the_same_bits_as_pytorch() {
  for (const char *program : PROGRAMS) {
    pt2::LoadOptions options;
    options.optimization = pt2::Optimization::Exact;
    const pt2::Model model = pt2::Model::load(archive((std::string(program) + ".pt2").c_str()), options);
    for (const StoredCall &call : stored_calls(program)) {
      const std::vector<std::string> outputs = run_to_bytes(model, call.inputs);
      CHECK(outputs.size() == call.outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i] == call.outputs[i].bytes);
    }
  }
}
#endif

}  // namespace

int main() {
  all_that_is_missing_is_named();
#ifdef PT2_TORCHVISION
  pt2::load_op_library(PT2_TORCHVISION);
  CHECK(dlopen("libtorch_python.so", RTLD_LAZY | RTLD_NOLOAD) == nullptr);
  CHECK(dlsym(RTLD_DEFAULT, "Py_Initialize") == nullptr);
  the_same_bits_as_pytorch();
#endif
}
