// Operator libraries: errors without one, files that cannot be one, and runs of their operators.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pt2.hpp>

#include "check.h"

namespace {

void what_is_missing() {
  pt2_model *model = nullptr;
  FAILS(PT2_ERROR_MISSING_OPERATOR, "pt2test::twice.default",
        pt2_load(archive("../special_archives/2.11.0/twice.pt2"), nullptr, &model));
  FAILS(PT2_ERROR_MISSING_OPERATOR, "`pt2test` usually comes with",
        pt2_load(archive("../special_archives/2.11.0/twice.pt2"), nullptr, &model));
}

void what_is_no_library() {
  FAILS(PT2_ERROR_ARGUMENT, "`path`", pt2_load_op_library(nullptr));
  FAILS(PT2_ERROR_IO, "/missing.so", pt2_load_op_library("/missing.so"));
  FAILS(PT2_ERROR_IO, "No such file", pt2_load_op_library(""));
  FAILS(PT2_ERROR_IO, "libc.so.6", pt2_load_op_library("libc.so.6"));
  FAILS(PT2_ERROR_IO, "ELF", pt2_load_op_library(archive("../special_archives/2.11.0/twice.pt2")));
}

#ifdef PT2_NEEDY
void a_library_that_needs_another() {
  FAILS(PT2_ERROR_IO, "cannot load the operator library", pt2_load_op_library(PT2_NEEDY));
  FAILS(PT2_ERROR_IO, "it needs `libpt2absent.so`", pt2_load_op_library(PT2_NEEDY));
}
#endif

#ifdef PT2_TWICE
// Libraries that the host loaded for itself do not provide operators to every program.
void a_library_that_the_host_loaded() {
  CHECK(dlopen(PT2_TWICE, RTLD_NOW) != nullptr);
  pt2_model *model = nullptr;
  FAILS(PT2_ERROR_FORBIDDEN_OPERATOR, "pt2test::twice.default",
        pt2_load(archive("../special_archives/2.11.0/twice.pt2"), nullptr, &model));
  pt2::LoadOptions options;
  options.allowed_operators = {"pt2test::*"};
  pt2::Model::load(archive("../special_archives/2.11.0/twice.pt2"), options);
}

void in_a_process_of_its_own(void (*test)()) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    test();
    _exit(0);
  }
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#ifdef PT2_STABLE
// Its operators return what those of the library with C++ types return.
void a_library_on_the_stable_abi() {
  pt2::load_op_library(PT2_STABLE);
  pt2::load_op_library(PT2_STABLE);
  const pt2::Model model = pt2::Model::load(archive("../special_archives/2.11.0/twice.pt2"));
  const pt2::Tensor input = pt2::Tensor::from(std::vector<float>{1, 2, 3, 4}, {4});
  CHECK(model.run(input)[0].values<float>() == (std::vector<float>{3, 5, 7, 9}));
}
#endif

void its_operators_run() {
  pt2::load_op_library(PT2_TWICE);
  pt2::load_op_library(PT2_TWICE);
  const pt2::Model model = pt2::Model::load(archive("../special_archives/2.11.0/twice.pt2"));
  const pt2::Tensor input = pt2::Tensor::from(std::vector<float>{1, 2, 3, 4}, {4});
  CHECK(model.run(input)[0].values<float>() == (std::vector<float>{3, 5, 7, 9}));
}

// 2x + 4x + 8x + 16 * 1 + 32 * 2 + 64 * 3 + 128 * size("") + 256 * size("a") + 512 * 1 + 1024 * 0 + 2048x
void lists_of_lists_and_of_strings_arrive() {
  const pt2::Model model = pt2::Model::load(archive("../special_archives/2.11.0/nested.pt2"));
  const pt2::Tensor input = pt2::Tensor::from(std::vector<float>{1, 2, 3}, {3});
  const float rest = 16 + 64 + 192 + 256 + 512;
  CHECK(model.run(input)[0].values<float>() ==
        (std::vector<float>{2062 + rest, 2 * 2062 + rest, 3 * 2062 + rest}));
}
#endif

}  // namespace

int main() {
#ifdef PT2_TWICE
  in_a_process_of_its_own(a_library_that_the_host_loaded);
#ifdef PT2_STABLE
  in_a_process_of_its_own(a_library_on_the_stable_abi);
#endif
#endif
  what_is_missing();
  what_is_no_library();
#ifdef PT2_NEEDY
  a_library_that_needs_another();
#endif
#ifdef PT2_TWICE
  its_operators_run();
  lists_of_lists_and_of_strings_arrive();
#endif
}
