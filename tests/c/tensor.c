/* Tensors on the caller's memory: their metadata, the release of the memory, and rejected
 * arguments. */
#include "check.h"

static int released;
static void *released_with;

static void release(void *context) {
  ++released;
  released_with = context;
}

static pt2_error *make(void *data, int32_t dtype, const int64_t *sizes, const int64_t *strides, size_t rank,
                       const char *device, pt2_tensor **tensor) {
  return pt2_tensor_from_memory(data, dtype, sizes, strides, rank, device, release, data, tensor);
}

static void it_is_described(void) {
  float data[6] = {1, 2, 3, 4, 5, 6};
  const int64_t sizes[2] = {2, 3};
  pt2_tensor *tensor = floats(data, 2, sizes);
  CHECK(pt2_tensor_dtype(tensor) == PT2_DTYPE_FLOAT32);
  CHECK(pt2_tensor_rank(tensor) == 2);
  CHECK(memcmp(pt2_tensor_sizes(tensor), sizes, sizeof sizes) == 0);
  CHECK(pt2_tensor_strides(tensor)[0] == 3 && pt2_tensor_strides(tensor)[1] == 1);
  CHECK(pt2_tensor_data(tensor) == data);
  CHECK(strcmp(pt2_tensor_device(tensor), "cpu") == 0);
  pt2_tensor_free(tensor);
}

static void nothing_is_said_about_null(void) {
  CHECK(pt2_tensor_dtype(NULL) == 0);
  CHECK(pt2_tensor_rank(NULL) == 0);
  CHECK(pt2_tensor_sizes(NULL) == NULL && pt2_tensor_strides(NULL) == NULL);
  CHECK(pt2_tensor_data(NULL) == NULL && pt2_tensor_device(NULL) == NULL);
  pt2_tensor_free(NULL);
}

static void memory_is_released_once_and_last(void) {
  float data[4] = {0};
  const int64_t size = 4;
  pt2_tensor *tensor = NULL, *clone = NULL, *host = NULL;
  released = 0;
  OK(make(data, PT2_DTYPE_FLOAT32, &size, NULL, 1, "cpu", &tensor));
  OK(pt2_tensor_share(tensor, &clone));
  OK(pt2_tensor_to_host(tensor, &host));
  CHECK(pt2_tensor_data(clone) == data && pt2_tensor_data(host) == data);
  pt2_tensor_free(tensor);
  pt2_tensor_free(host);
  CHECK(released == 0);
  pt2_tensor_free(clone);
  CHECK(released == 1 && released_with == data);
}

static void empty_memory_is_released_too(void) {
  const int64_t sizes[2] = {0, 3};
  pt2_tensor *tensor = NULL;
  released = 0;
  OK(make(NULL, PT2_DTYPE_INT64, sizes, NULL, 2, NULL, &tensor));
  CHECK(pt2_tensor_rank(tensor) == 2 && pt2_tensor_sizes(tensor)[0] == 0);
  CHECK(pt2_tensor_data(tensor) == NULL);
  pt2_tensor_free(tensor);
  CHECK(released == 1 && released_with == NULL);
}

static void a_view_becomes_dense_on_the_host(void) {
  float data[6] = {1, 2, 3, 4, 5, 6};
  const float transposed[6] = {1, 4, 2, 5, 3, 6}, expanded[4] = {2, 2, 2, 2};
  const int64_t turned[2] = {3, 2}, turned_strides[2] = {1, 3}, wide[2] = {2, 2}, wide_strides[2] = {0, 0};
  pt2_tensor *tensor = NULL, *host = NULL;
  OK(make(data, PT2_DTYPE_FLOAT32, turned, turned_strides, 2, NULL, &tensor));
  OK(pt2_tensor_to_host(tensor, &host));
  CHECK(same_floats(host, transposed, 6) && pt2_tensor_strides(host)[0] == 2);
  pt2_tensor_free(host);
  pt2_tensor_free(tensor);
  OK(make(data + 1, PT2_DTYPE_FLOAT32, wide, wide_strides, 2, NULL, &tensor));
  OK(pt2_tensor_to_host(tensor, &host));
  CHECK(same_floats(host, expanded, 4));
  pt2_tensor_free(host);
  pt2_tensor_free(tensor);
}

static void numbers_are_tensors(void) {
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_int(INT64_MIN, &tensor));
  CHECK(pt2_tensor_dtype(tensor) == PT2_DTYPE_INT64 && pt2_tensor_rank(tensor) == 0);
  CHECK(*(const int64_t *)pt2_tensor_data(tensor) == INT64_MIN);
  pt2_tensor_free(tensor);
  OK(pt2_tensor_from_float(-0.5, &tensor));
  CHECK(pt2_tensor_dtype(tensor) == PT2_DTYPE_FLOAT64 && *(const double *)pt2_tensor_data(tensor) == -0.5);
  pt2_tensor_free(tensor);
  OK(pt2_tensor_from_bool(true, &tensor));
  CHECK(pt2_tensor_dtype(tensor) == PT2_DTYPE_BOOL && *(const bool *)pt2_tensor_data(tensor));
  pt2_tensor_free(tensor);
}

static void every_dtype_can_be_made(void) {
  static const int32_t dtypes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 33, 34, 35};
  double memory[4] = {0};
  const int64_t size = 2;
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; ++i) {
    pt2_tensor *tensor = NULL;
    OK(make(memory, dtypes[i], &size, NULL, 1, NULL, &tensor));
    CHECK(pt2_tensor_dtype(tensor) == dtypes[i]);
    pt2_tensor_free(tensor);
  }
}

static void what_is_refused_is_not_released(void) {
  static float data[64];
  static const int64_t two[2] = {2, 3}, negative[2] = {2, -3}, huge[2] = {INT64_MAX / 2, 8},
                       back[2] = {-1, 1};
  static const int64_t far[2] = {INT64_MAX / 2, INT64_MAX / 2}, many[65] = {1};
  const int32_t f32 = PT2_DTYPE_FLOAT32;
  pt2_tensor *tensor = NULL;
  released = 0;
  FAILS(PT2_ERROR_ARGUMENT, "`dtype`", make(data, 0, two, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`dtype`", make(data, 14, two, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`dtype`", make(data, -1, two, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`sizes`", make(data, f32, negative, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`sizes`", make(data, f32, huge, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`sizes`", make(data, f32, two, back, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`sizes`", make(data, f32, two, far, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`rank`", make(data, f32, many, NULL, 65, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`rank`", make(data, f32, many, NULL, SIZE_MAX, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`sizes`", make(data, f32, NULL, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`data`", make(NULL, f32, two, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`data`", make((char *)data + 2, f32, two, NULL, 2, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`device`", make(data, f32, two, NULL, 2, "tpu", &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`device`", make(data, f32, two, NULL, 2, "cuda:-1", &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`device`", make(data, f32, two, NULL, 2, "\xff", &tensor));
  FAILS(PT2_ERROR_DEVICE, "cuda:9999", make(data, f32, two, NULL, 2, "cuda:9999", &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", make(data, f32, two, NULL, 2, NULL, NULL));
  CHECK(tensor == NULL && released == 0);
}

static void null_and_misplaced_results_are_refused(void) {
  float data[2] = {0};
  char places[3 * sizeof(pt2_tensor *)] = {0};
  const int64_t size = 2;
  pt2_tensor *tensor = floats(data, 1, &size), *none = NULL;
  pt2_tensor **between = (pt2_tensor **)(void *)(places + 1 + (8 - (uintptr_t)places % 8) % 8);
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_from_int(1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_from_float(1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_from_bool(true, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_from_int(1, between));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_share(NULL, &none));
  FAILS(PT2_ERROR_ARGUMENT, "`shared`", pt2_tensor_share(tensor, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_to_host(NULL, &none));
  FAILS(PT2_ERROR_ARGUMENT, "`host`", pt2_tensor_to_host(tensor, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`host`", pt2_tensor_to_host(tensor, between));
  CHECK(none == NULL);
  pt2_tensor_free(tensor);
}

int main(void) {
  it_is_described();
  nothing_is_said_about_null();
  memory_is_released_once_and_last();
  empty_memory_is_released_too();
  a_view_becomes_dense_on_the_host();
  numbers_are_tensors();
  every_dtype_can_be_made();
  what_is_refused_is_not_released();
  null_and_misplaced_results_are_refused();
  return 0;
}
