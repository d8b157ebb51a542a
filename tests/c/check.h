/* Checks for every C and C++ test of the library. A failed check prints its place, and the program
 * exits with 1. */
#ifndef PT2_TESTS_CHECK_H
#define PT2_TESTS_CHECK_H

#include <pt2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

/* The call succeeds. */
#define OK(call) succeeds((call), #call, __FILE__, __LINE__)
/* The call fails with this code; its message contains `words`. */
#define FAILS(code, words, call) fails((code), (words), (call), #call, __FILE__, __LINE__)

static inline void succeeds(pt2_error *error, const char *call, const char *file, int line) {
  if (error == NULL) return;
  fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, pt2_error_message(error));
  exit(1);
}

static inline void fails(int32_t code, const char *words, pt2_error *error, const char *call,
                         const char *file, int line) {
  const char *message = pt2_error_message(error);
  if (error == NULL || pt2_error_code(error) != code || strstr(message, words) == NULL) {
    fprintf(stderr, "%s:%d: %s: expected error %d with \"%s\", got %d: %s\n", file, line, call, (int)code,
            words, (int)pt2_error_code(error), message);
    exit(1);
  }
  pt2_error_free(error);
}

/* Returns the path of an archive such as "2.11.0/mutation.pt2", valid until the next call. */
static inline const char *archive(const char *name) {
  static char path[4096];
  const char *folder = getenv("PT2_ARCHIVES");
  CHECK(folder != NULL);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static inline pt2_model *load(const char *name) {
  pt2_model *model = NULL;
  OK(pt2_load(archive(name), NULL, &model));
  CHECK(model != NULL);
  return model;
}

/* Returns a float32 tensor that borrows the test's memory. */
static inline pt2_tensor *floats(float *data, size_t rank, const int64_t *sizes) {
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_memory(data, PT2_DTYPE_FLOAT32, sizes, NULL, rank, NULL, NULL, NULL, &tensor));
  return tensor;
}

static inline int64_t element_count(const pt2_tensor *tensor) {
  int64_t count = 1;
  for (size_t d = 0; d < pt2_tensor_rank(tensor); ++d) count *= pt2_tensor_sizes(tensor)[d];
  return count;
}

/* Returns true if a contiguous float32 tensor is bit-equal to `expected`. */
static inline int same_floats(const pt2_tensor *tensor, const float *expected, size_t count) {
  return pt2_tensor_dtype(tensor) == PT2_DTYPE_FLOAT32 && element_count(tensor) == (int64_t)count &&
         memcmp(pt2_tensor_data(tensor), expected, count * sizeof *expected) == 0;
}

/* Fills with reproducible numbers between -2 and 2. */
static inline void fill(float *data, size_t count, uint32_t seed) {
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    data[i] = (float)(seed >> 8) / 4194304.0f - 2.0f;
  }
}

#endif
