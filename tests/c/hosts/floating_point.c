/* Threads that trap, flush denormals, round up, or compute with 53 bits in the x87 unit. Every call
 * returns the results of the default environment, and restores the environment with its exception
 * flags. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fp_registers.h"
#include "host.h"

#ifndef PT2_HAS_FP_REGISTERS
int main(void) { return 77; }
#else
#include <fenv.h>
#include <pthread.h>

enum { MANY = 1000000 };

struct environment {
  const char *name;
  fp_registers registers;
};

static const struct environment environments[] = {FP_ENVIRONMENTS};

enum { LAST = sizeof environments / sizeof *environments - 1 };

static void enter(const struct environment *environment) { fp_write(environment->registers); }

/* Restores the default for the checks, after comparing with the caller's environment. */
static void leave(const struct environment *environment, const char *call) {
  const fp_registers found = fp_read();
  fp_write(FP_DEFAULT);
  if (!fp_same(found, environment->registers)) {
    fprintf(stderr, "%s: changed by %s\n", environment->name, call);
    exit(1);
  }
}

#define WITHIN(environment, call) (enter(environment), (call), leave(environment, #call))

static float x[ROWS * COLUMNS], tiny[MANY];

static void softmax(const struct environment *environment, const char *name, int causal) {
  double expected[ROWS * COLUMNS];
  pt2_model *model = NULL;
  pt2_tensor *input = NULL, *output = NULL, *host = NULL;
  pt2_error *error = NULL;
  WITHIN(environment, error = pt2_load(archive(name), NULL, &model));
  OK(error);
  WITHIN(environment, input = rows(x));
  WITHIN(environment, error = pt2_warm(model, &input, 1, NULL));
  OK(error);
  WITHIN(environment, error = pt2_run(model, &input, 1, NULL, &output, 1));
  OK(error);
  expected_softmax(x, causal, !causal, expected);
  check_close(output, expected, ROWS * COLUMNS);
  WITHIN(environment, error = pt2_tensor_to_host(output, &host));
  OK(error);
  WITHIN(environment, error = pt2_run_into(model, &input, 1, NULL, &output, 1));
  OK(error);
  check_close(output, expected, ROWS * COLUMNS);
  WITHIN(environment, pt2_tensor_free(host));
  WITHIN(environment, pt2_tensor_free(output));
  WITHIN(environment, pt2_tensor_free(input));
  WITHIN(environment, pt2_free(model));
}

/* Denormal squares, over all threads of the pool: each equals the first, and none is flushed. */
static void squares(const struct environment *environment, const pt2_model *model, pt2_tensor *input) {
  static float expected[MANY];
  const float value = 1.1e-20f;
  for (int i = 0; i < MANY; ++i) expected[i] = value * value;
  CHECK(expected[0] > 0);
  pt2_tensor *output = NULL;
  pt2_error *error = NULL;
  WITHIN(environment, error = pt2_run(model, &input, 1, NULL, &output, 1));
  OK(error);
  CHECK(same_floats(output, expected, MANY));
  pt2_tensor_free(output);
}

static void all(const pt2_model *model, pt2_tensor *input) {
  for (size_t i = 0; i <= LAST; ++i) {
    softmax(&environments[i], "log_softmax.pt2", 0);
    softmax(&environments[i], "causal.pt2", 1);
    squares(&environments[i], model, input);
  }
}

static pt2_model *square;
static pt2_tensor *input;

static void *in_a_thread(void *environment) {
  squares(environment, square, input);
  all(square, input);
  return NULL;
}

int main(void) {
  const int64_t count = MANY;
  fill(x, ROWS * COLUMNS, 1);
  for (int i = 0; i < MANY; ++i) tiny[i] = 1.1e-20f;
  /* The first call of the process, which loads libtorch, is made in the strictest one. */
  enter(&environments[LAST]);
  OK(pt2_load(archive("square.pt2"), NULL, &square));
  leave(&environments[LAST], "first load");
  input = floats(tiny, 1, &count);
  all(square, input);
  /* Each environment in a new thread, whose first call starts libtorch's pool. */
  for (size_t i = 0; i <= LAST; ++i) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, in_a_thread, (void *)&environments[i]) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
  }
  /* A library whose initialiser flushes denormals, like one linked with -ffast-math. */
  pt2_error *error = NULL;
  WITHIN(&environments[0], error = pt2_load_op_library(FLUSHES));
  OK(error);
  squares(&environments[0], square, input);
  pt2_tensor_free(input);
  pt2_free(square);
  return 0;
}
#endif
