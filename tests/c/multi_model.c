/* Archive with several models, whose weights have equal names, and a file that belongs to none. */
#include "check.h"

#define ARCHIVE "../special_archives/2.11.0/several.pt2"

static void each_by_its_name(const char *name, float factor) {
  float data[3] = {1, -2, 4};
  const int64_t sizes[1] = {3};
  const float expected[3] = {factor, -2 * factor, 4 * factor};
  pt2_tensor *input = floats(data, 1, sizes), *output = NULL;
  pt2_model *model = NULL;
  pt2_load_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.model = name;
  OK(pt2_load(archive(ARCHIVE), &options, &model));
  CHECK(strcmp(pt2_model_name(model), name) == 0);
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  CHECK(same_floats(output, expected, 3));
  pt2_tensor_free(output);
  pt2_tensor_free(input);
  pt2_free(model);
}

static void one_must_be_named(void) {
  static const char *const wrong[] = {NULL, "", "notes.txt", "doubl", "double.json", "../models/double"};
  pt2_model *model = NULL;
  pt2_load_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    options.model = wrong[i];
    FAILS(PT2_ERROR_ARGUMENT, "name one of the models in the archive: double, triple",
          pt2_load(archive(ARCHIVE), &options, &model));
  }
  FAILS(PT2_ERROR_ARGUMENT, "name one of the models", pt2_load(archive(ARCHIVE), NULL, &model));
  CHECK(model == NULL);
}

int main(void) {
  each_by_its_name("double", 2);
  each_by_its_name("triple", 3);
  one_must_be_named();
  return 0;
}
