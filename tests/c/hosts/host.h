/* Helpers of the programs here: rows of floats, and one run of a model on them. */
#ifndef PT2_TESTS_HOST_H
#define PT2_TESTS_HOST_H

#include <math.h>

#include "../check.h"

enum { ROWS = 5, COLUMNS = 7 };

static inline pt2_model *load_at(const char *name, int32_t optimization) {
  pt2_load_options options = {0};
  options.struct_size = sizeof options;
  options.device = "cpu";
  options.optimization = optimization;
  pt2_model *model = NULL;
  OK(pt2_load(archive(name), &options, &model));
  return model;
}

static inline pt2_tensor *rows(float *data) {
  const int64_t sizes[2] = {ROWS, COLUMNS};
  return floats(data, 2, sizes);
}

/* Returns the first output of a model with one input and one output. The caller frees it. */
static inline pt2_tensor *run_once(const pt2_model *model, pt2_tensor *input) {
  pt2_tensor *output = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  return output;
}

static inline void check_close(const pt2_tensor *tensor, const double *expected, size_t count) {
  const float *found = pt2_tensor_data(tensor);
  CHECK(element_count(tensor) == (int64_t)count);
  for (size_t i = 0; i < count; ++i) CHECK(fabs(found[i] - expected[i]) < 2e-6);
}

/* Computes x @ x.T of ROWS by COLUMNS in double precision. */
static inline void expected_product(const float *x, double *y) {
  for (int i = 0; i < ROWS; ++i) {
    for (int j = 0; j < ROWS; ++j) {
      y[i * ROWS + j] = 0;
      for (int k = 0; k < COLUMNS; ++k) y[i * ROWS + j] += (double)x[i * COLUMNS + k] * x[j * COLUMNS + k];
    }
  }
}

/* Computes the softmax of each row over its first `kept(row)` columns, or its logarithm. */
static inline void expected_softmax(const float *x, int causal, int logarithm, double *y) {
  for (int i = 0; i < ROWS; ++i) {
    const int kept = causal ? i + 1 : COLUMNS;
    double sum = 0;
    for (int k = 0; k < kept; ++k) sum += exp(x[i * COLUMNS + k]);
    for (int k = 0; k < COLUMNS; ++k) {
      const double value = k < kept ? exp(x[i * COLUMNS + k]) / sum : 0;
      y[i * COLUMNS + k] = logarithm ? log(value) : value;
    }
  }
}

#endif
