/* Unbounded sizes: calls with 0 and 1 run, although the exporter assumed 2 and more. Errors name
 * the input, its dimension, the actual size and the expected one. */
#include "check.h"

enum { IN = 4, OUT = 3, MOST = 9, OUTPUTS = 5 };

static float x[MOST * IN], y[MOST * IN];

static void take(const pt2_tensor *tensor, size_t rank, int64_t first, int64_t last) {
  CHECK(pt2_tensor_rank(tensor) == rank);
  CHECK(pt2_tensor_sizes(tensor)[0] == first);
  CHECK(pt2_tensor_sizes(tensor)[rank - 1] == last);
}

static void runs(const pt2_model *model, int64_t rows) {
  const int64_t sizes[2] = {rows, IN};
  pt2_tensor *inputs[2] = {floats(x, 2, sizes), floats(y, 2, sizes)}, *outputs[OUTPUTS] = {NULL};
  OK(pt2_run(model, inputs, 2, NULL, outputs, OUTPUTS));
  take(outputs[0], 2, rows, OUT);
  take(outputs[1], 2, rows < 2 ? rows : 2, OUT);
  /* A dimension of one element is squeezed. */
  take(outputs[2], rows == 1 ? 1 : 2, rows == 1 ? OUT : rows, OUT);
  take(outputs[3], 1, rows, rows);
  take(outputs[4], 2, 2 * rows + 1, IN);
  const float *found = pt2_tensor_data(outputs[4]);
  for (int64_t i = 0; i < IN; ++i) CHECK(found[2 * rows * IN + i] == 1.0f);
  CHECK(memcmp(found, x, (size_t)rows * IN * sizeof *x) == 0);
  CHECK(memcmp(found + rows * IN, y, (size_t)rows * IN * sizeof *y) == 0);
  for (size_t i = 0; i < OUTPUTS; ++i) pt2_tensor_free(outputs[i]);
  for (size_t i = 0; i < 2; ++i) pt2_tensor_free(inputs[i]);
}

/* An output with fewer elements than recorded is written into memory of its actual size. */
static void runs_into(const pt2_model *model) {
  const int64_t sizes[2] = {1, IN}, short_sizes[2] = {1, OUT};
  float rows[2 * OUT] = {0};
  pt2_tensor *inputs[2] = {floats(x, 2, sizes), floats(y, 2, sizes)};
  pt2_tensor *outputs[OUTPUTS] = {NULL, floats(rows, 2, short_sizes)};
  OK(pt2_run_into(model, inputs, 2, NULL, outputs, OUTPUTS));
  CHECK(rows[0] >= 1.0f && rows[OUT] == 0.0f);
  pt2_tensor_free(outputs[1]);
  for (size_t i = 0; i < 2; ++i) pt2_tensor_free(inputs[i]);
}

static void refuses(const pt2_model *model) {
  const int64_t three[2] = {3, IN}, five[2] = {5, IN};
  pt2_tensor *inputs[2] = {floats(x, 2, three), floats(y, 2, five)}, *outputs[OUTPUTS] = {NULL};
  pt2_error *error = pt2_run(model, inputs, 2, NULL, outputs, OUTPUTS);
  CHECK(error != NULL && strcmp(pt2_error_input(error), "args[1]") == 0);
  FAILS(PT2_ERROR_INPUT, "dimension 0 is 5, expected 3, the same as dimension 0 of `args[0]` (symbol s",
        error);
  for (size_t i = 0; i < 2; ++i) pt2_tensor_free(inputs[i]);
}

int main(void) {
  pt2_dimension rows = {sizeof rows, 0, NULL, 0, 0};
  pt2_load_options exact = {.struct_size = sizeof exact, .optimization = PT2_OPTIMIZATION_EXACT};
  fill(x, MOST * IN, 1);
  fill(y, MOST * IN, 2);
  for (int level = 0; level < 2; ++level) {
    pt2_model *model = NULL;
    OK(pt2_load(archive("2.11.0/assumed.pt2"), level ? &exact : NULL, &model));
    OK(pt2_input_dimension(model, 0, 0, &rows));
    CHECK(rows.size == -1 && rows.min == 0 && rows.max == -1);
    const int64_t sizes[] = {4, 1, 0, 2, 9, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) runs(model, sizes[i]);
    runs_into(model);
    refuses(model);
    runs(model, 3);
    pt2_free(model);
  }
  return 0;
}
