/* Host with OpenMP threads that flush denormals, whose pool libtorch shares. No denormal of a model
 * is flushed, and the host's threads flush again afterwards. */
#include "fp_registers.h"
#include "host.h"

#ifndef PT2_HAS_FP_REGISTERS
int main(void) { return 77; }
#else

enum { MANY = 1000000 };

static float x[MANY], y[MANY];

/* Returns the number of pool threads that flush. A thread inherits the mode when it is created. */
static int flushing(void) {
  int count = 0;
#pragma omp parallel num_threads(4) reduction(+ : count)
  count += fp_flushes();
  return count;
}

int main(void) {
  const int64_t count = MANY;
  const float value = 1.1e-20f;
  for (int i = 0; i < MANY; ++i) x[i] = value, y[i] = value * value;
  CHECK(y[0] > 0);
  fp_write(FP_FLUSHES);
  CHECK(flushing() == 4);
  fp_write(FP_DEFAULT);
  pt2_set_cpu_threads(4);
  pt2_model *square = load_at("square.pt2", PT2_OPTIMIZATION_FAST);
  pt2_tensor *input = floats(x, 1, &count);
  for (int turn = 0; turn < 3; ++turn) {
    pt2_tensor *output = run_once(square, input);
    CHECK(same_floats(output, y, MANY));
    pt2_tensor_free(output);
    CHECK(flushing() == 3);
  }
  pt2_tensor_free(input);
  pt2_free(square);
  return 0;
}
#endif
