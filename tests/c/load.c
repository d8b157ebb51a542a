/* Loading: changes to the file while the model exists, and independence of models. */
#define _DEFAULT_SOURCE
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char path[] = "/tmp/pt2-load-XXXXXX";
static char bytes[65536];
static size_t size;

static void copy_to_path(void) {
  FILE *from = fopen(archive("2.11.0/mutation.pt2"), "rb"), *to = fopen(path, "wb");
  CHECK(from != NULL && to != NULL);
  size = fread(bytes, 1, sizeof bytes, from);
  CHECK(size > 1000 && fwrite(bytes, 1, size, to) == size);
  fclose(from);
  fclose(to);
}

static pt2_model *load_with(int32_t memory) {
  pt2_load_options options;
  pt2_model *model = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.memory = memory;
  OK(pt2_load(path, &options, &model));
  return model;
}

/* Returns the total of earlier calls, from a program that keeps one. */
static float total_after(pt2_model *model, float value) {
  float row[3] = {value, 0, 0};
  const int64_t sizes[2] = {1, 3};
  pt2_tensor *input = floats(row, 2, sizes), *output = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  const float total = ((const float *)pt2_tensor_data(output))[0] - 2 * value;
  pt2_tensor_free(input);
  pt2_tensor_free(output);
  return total;
}

static void a_copy_needs_no_file(void) {
  copy_to_path();
  pt2_model *model = load_with(PT2_MEMORY_COPY);
  CHECK(truncate(path, 0) == 0);
  CHECK(total_after(model, 3) == 3);
  pt2_free(model);
}

static void a_file_that_others_may_write_is_copied(void) {
  copy_to_path();
  CHECK(chmod(path, 0666) == 0);
  pt2_model *model = load_with(PT2_MEMORY_AUTO);
  CHECK(truncate(path, 0) == 0);
  CHECK(total_after(model, 3) == 3);
  pt2_free(model);
  CHECK(chmod(path, 0600) == 0);
}

/* Mutation writes to private pages: neither the file nor another model of it changes. */
static void a_mapped_file_is_never_written(void) {
  static char after[sizeof bytes];
  copy_to_path();
  pt2_model *first = load_with(PT2_MEMORY_MAP), *second = load_with(PT2_MEMORY_MAP);
  CHECK(total_after(first, 1) == 1 && total_after(first, 2) == 3);
  CHECK(total_after(second, 5) == 5 && total_after(first, 4) == 7);
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL && fread(after, 1, sizeof after, file) == size);
  fclose(file);
  CHECK(memcmp(bytes, after, size) == 0);
  CHECK(unlink(path) == 0);
  pt2_free(first);
  CHECK(total_after(second, 1) == 6);
  pt2_free(second);
}

static void damage_is_found_unless_that_is_switched_off(void) {
  pt2_load_options options;
  pt2_model *model = NULL;
  copy_to_path();
  /* The file contains the stored total, a float32: change the high byte of each word until it is
   * found. */
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.skip_checksums = 1;
  int silent = 0;
  for (size_t at = 3; at < size; at += 4) {
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL && fseek(file, (long)at, SEEK_SET) == 0);
    fputc(bytes[at] ^ 0x40, file);
    fclose(file);
    pt2_error *unchecked = pt2_load(path, &options, &model);
    if (unchecked == NULL) {
      const float total = total_after(model, 1);
      pt2_free(model);
      model = NULL;
      if (total != 1) {
        ++silent;
        FAILS(PT2_ERROR_CHECKSUM, "is damaged", pt2_load(path, NULL, &model));
      }
    }
    pt2_error_free(unchecked);
    file = fopen(path, "r+b");
    CHECK(file != NULL && fseek(file, (long)at, SEEK_SET) == 0);
    fputc(bytes[at], file);
    fclose(file);
  }
  CHECK(silent > 0 && model == NULL);
}

int main(void) {
  const int made = mkstemp(path);
  CHECK(made >= 0);
  close(made);
  a_copy_needs_no_file();
  a_file_that_others_may_write_is_copied();
  a_mapped_file_is_never_written();
  damage_is_found_unless_that_is_switched_off();
  unlink(path);
  return 0;
}
