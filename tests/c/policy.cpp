// Operators with effects outside of tensors, and operators of other libraries.
#include <unistd.h>

#include <pt2.hpp>

#include "check.h"

namespace {

const char *const FROM_FILE = "../special_archives/2.11.0/from_file.pt2";

pt2_load_options allowing(const char *const *names, size_t count) {
  pt2_load_options options{};
  options.struct_size = sizeof options;
  options.allowed_operators = names;
  options.allowed_operator_count = count;
  return options;
}

void a_program_that_opens_a_file() {
  pt2_model *model = nullptr;
  const char *names[] = {"aten::from_file", nullptr};
  pt2_load_options options = allowing(names, 1);
  FAILS(PT2_ERROR_FORBIDDEN_OPERATOR, "aten::from_file.default",
        pt2_load(archive(FROM_FILE), nullptr, &model));
  FAILS(PT2_ERROR_FORBIDDEN_OPERATOR, "reaches outside of tensors",
        pt2_load(archive(FROM_FILE), nullptr, &model));
  CHECK(model == nullptr && access("pt2-test-from-file.bin", F_OK) != 0);
  OK(pt2_load(archive(FROM_FILE), &options, &model));
  pt2_free(model);
}

void names_that_cannot_be_right() {
  pt2_model *model = nullptr;
  const char *names[] = {"from_file", nullptr, "\xc3"};
  pt2_load_options options = allowing(names, 1);
  FAILS(PT2_ERROR_ARGUMENT, "`from_file` is not of the form", pt2_load(archive(FROM_FILE), &options, &model));
  options = allowing(names + 1, 1);
  FAILS(PT2_ERROR_ARGUMENT, "it is NULL", pt2_load(archive(FROM_FILE), &options, &model));
  options = allowing(names + 2, 1);
  FAILS(PT2_ERROR_ARGUMENT, "UTF-8", pt2_load(archive(FROM_FILE), &options, &model));
  options = allowing(nullptr, 1);
  FAILS(PT2_ERROR_ARGUMENT, "it is NULL", pt2_load(archive(FROM_FILE), &options, &model));
  options = allowing(names, SIZE_MAX);
  FAILS(PT2_ERROR_ARGUMENT, "too many", pt2_load(archive(FROM_FILE), &options, &model));
  CHECK(model == nullptr);
}

void the_same_in_cpp() {
  pt2::LoadOptions options;
  try {
    pt2::Model::load(archive(FROM_FILE), options);
    CHECK(!"it was loaded");
  } catch (const pt2::Error &error) {
    CHECK(error.code() == pt2::ErrorCode::ForbiddenOperator);
  }
  options.allowed_operators = {"aten::from_file.default"};
  CHECK(pt2::Model::load(archive(FROM_FILE), options).inputs().size() == 1);
}

}  // namespace

int main() {
  a_program_that_opens_a_file();
  names_that_cannot_be_right();
  the_same_in_cpp();
}
