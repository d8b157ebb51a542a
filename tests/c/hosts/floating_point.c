/* Threads that trap, flush denormals, round up, or compute with 53 bits in the x87 unit. Every call
 * returns the results of the default environment, and restores the environment with its exception
 * flags. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "host.h"

#if !defined(__x86_64__)
int main(void) { return 77; }
#else
#include <fenv.h>
#include <pthread.h>
#include <xmmintrin.h>

enum { MANY = 1000000 };

static uint16_t control_word(void) {
  uint16_t word;
  __asm__("fnstcw %0" : "=m"(word));
  return word;
}

static uint16_t status_word(void) {
  uint16_t word;
  __asm__("fnstsw %0" : "=m"(word));
  return word & 0xff;
}

struct environment {
  const char *name;
  uint32_t mxcsr;
  uint16_t control;
};

static const struct environment environments[] = {
    {"default", 0x1f80, 0x37f},          {"flushes", 0x9fc0, 0x37f}, {"rounds up", 0x5f80, 0xb7f},
    {"rounds to zero", 0x7f80, 0xf7f},   {"traps", 0x1900, 0x372},   {"53 bits", 0x1f80, 0x27f},
    {"traps with flags", 0x191f, 0x372}, {"flags", 0x1fbf, 0x37f},
};

static void enter(const struct environment *environment) {
  __asm__("fldcw %0" : : "m"(environment->control));
  _mm_setcsr(environment->mxcsr);
}

/* Restores the default for the checks, after comparing with the caller's environment. */
static void leave(const struct environment *environment, const char *call) {
  const uint32_t mxcsr = _mm_getcsr();
  const uint16_t control = control_word(), status = status_word();
  _mm_setcsr(0x1f80);
  __asm__("fninit");
  if (mxcsr != environment->mxcsr || control != environment->control || status != 0) {
    fprintf(stderr, "%s, %s: left %x %x %x\n", environment->name, call, mxcsr, control, status);
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
  for (size_t i = 0; i < sizeof environments / sizeof *environments; ++i) {
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
  /* The first call of the process, which loads libtorch, is made with traps enabled. */
  enter(&environments[4]);
  OK(pt2_load(archive("square.pt2"), NULL, &square));
  leave(&environments[4], "first load");
  input = floats(tiny, 1, &count);
  all(square, input);
  /* Each environment in a new thread, whose first call starts libtorch's pool. */
  for (size_t i = 0; i < sizeof environments / sizeof *environments; ++i) {
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
