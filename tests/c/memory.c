/* Programs loaded from bytes: results equal the file's, even if the bytes change later. */
#include "check.h"

#define ARCHIVE "2.11.0/mini_resnet.pt2"
#define IMAGE (3 * 32 * 32)

static size_t size;

static char *bytes(void) {
  FILE *file = fopen(archive(ARCHIVE), "rb");
  char *read;
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  size = (size_t)ftell(file);
  read = malloc(size);
  CHECK(read != NULL && fseek(file, 0, SEEK_SET) == 0 && fread(read, 1, size, file) == size);
  fclose(file);
  return read;
}

static pt2_tensor *scores(const pt2_model *model) {
  static float image[IMAGE];
  const int64_t sizes[4] = {1, 3, 32, 32};
  pt2_tensor *input = floats(image, 4, sizes), *output = NULL;
  fill(image, IMAGE, 5);
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  pt2_tensor_free(input);
  return output;
}

static void the_same_as_from_the_file(void) {
  pt2_model *stored = load(ARCHIVE), *copied = NULL;
  char *data = bytes();
  OK(pt2_load_from_memory(data, size, NULL, &copied));
  memset(data, 0, size);
  free(data);
  pt2_tensor *expected = scores(stored), *found = scores(copied);
  CHECK(same_floats(found, pt2_tensor_data(expected), 10));
  pt2_tensor_free(expected);
  pt2_tensor_free(found);
  pt2_free(stored);
  pt2_free(copied);
}

static void what_is_no_archive(void) {
  char *data = bytes();
  pt2_model *model = NULL;
  pt2_load_options options;
  FAILS(PT2_ERROR_ARCHIVE, "no bytes", pt2_load_from_memory(NULL, 0, NULL, &model));
  FAILS(PT2_ERROR_ARCHIVE, "", pt2_load_from_memory(data, size - 1, NULL, &model));
  FAILS(PT2_ERROR_ARCHIVE, "", pt2_load_from_memory(data, 1, NULL, &model));
  FAILS(PT2_ERROR_ARGUMENT, "`data`", pt2_load_from_memory(NULL, size, NULL, &model));
  FAILS(PT2_ERROR_ARGUMENT, "`size`", pt2_load_from_memory(data, SIZE_MAX, NULL, &model));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_load_from_memory(data, size, NULL, NULL));
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.model = "another";
  FAILS(PT2_ERROR_ARGUMENT, "name one of the models", pt2_load_from_memory(data, size, &options, &model));
  CHECK(model == NULL);
  free(data);
}

int main(void) {
  the_same_as_from_the_file();
  what_is_no_archive();
  return 0;
}
