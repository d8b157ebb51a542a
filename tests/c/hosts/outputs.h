/* Products and pointwise functions by several models, compared with double precision. */
#ifndef PT2_TESTS_OUTPUTS_H
#define PT2_TESTS_OUTPUTS_H

#include "host.h"

static inline void outputs_are_right(void) {
  float x[ROWS * COLUMNS];
  double expected[ROWS * COLUMNS];
  for (uint32_t seed = 1; seed < 4; ++seed) {
    fill(x, ROWS * COLUMNS, seed);
    pt2_tensor *input = rows(x);
    for (int32_t level = PT2_OPTIMIZATION_EXACT; level <= PT2_OPTIMIZATION_FAST; ++level) {
      const char *names[] = {"product.pt2", "log_softmax.pt2", "gelu.pt2"};
      for (int i = 0; i < 3; ++i) {
        pt2_model *model = load_at(names[i], level);
        pt2_tensor *output = run_once(model, input);
        if (i == 0) expected_product(x, expected);
        if (i == 1) expected_softmax(x, 0, 1, expected);
        for (int k = 0; i == 2 && k < ROWS * COLUMNS; ++k) expected[k] = x[k] * (1 + erf(x[k] / sqrt(2))) / 2;
        check_close(output, expected, i == 0 ? ROWS * ROWS : ROWS * COLUMNS);
        pt2_tensor_free(output);
        pt2_free(model);
      }
    }
    pt2_tensor_free(input);
  }
}

#endif
