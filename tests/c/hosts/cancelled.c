/* Threads cancelled inside of calls, of either cancellation type: the call ends first, and later
 * calls work. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <unistd.h>

#include "host.h"

enum { TURNS = 40 };

static pt2_model *model;
static float x[ROWS * COLUMNS];
static double expected[ROWS * ROWS];

struct work {
  int type, loads;
  /* Number of calls that the thread began and ended. */
  volatile int began, ended;
};

static void *calls(void *argument) {
  struct work *work = argument;
  int before = 0;
  CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before) == 0);
  CHECK(pthread_setcanceltype(work->type, &before) == 0);
  pt2_tensor *input = rows(x);
  char path[4096];
  snprintf(path, sizeof path, "%s/product.pt2", getenv("PT2_ARCHIVES"));
  for (;;) {
    pt2_model *loaded = NULL;
    pt2_tensor *output = NULL;
    ++work->began;
    /* Enabled for one call only: the rest of this function is not async-cancel-safe. */
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    pt2_error *error =
        work->loads ? pt2_load(path, NULL, &loaded) : pt2_run(model, &input, 1, NULL, &output, 1);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    ++work->ended;
    if (error != NULL) abort();
    pt2_tensor_free(output);
    pt2_free(loaded);
    if (work->type == PTHREAD_CANCEL_DEFERRED) {
      pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
      pthread_testcancel();
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    }
  }
}

static void cancel(int type, int loads) {
  for (int turn = 0; turn < TURNS; ++turn) {
    struct work work = {type, loads, 0, 0};
    pthread_t thread;
    void *result = NULL;
    CHECK(pthread_create(&thread, NULL, calls, &work) == 0);
    while (work.began == 0) usleep(10);
    usleep(100 + 137 * turn);
    CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
    /* A deferred cancellation waits for the host's own cancellation point. */
    CHECK(type == PTHREAD_CANCEL_ASYNCHRONOUS || work.began == work.ended);
  }
}

int main(void) {
  fill(x, ROWS * COLUMNS, 3);
  expected_product(x, expected);
  model = load_at("product.pt2", PT2_OPTIMIZATION_FAST);
  const int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};
  for (int loads = 0; loads < 2; ++loads) {
    for (int i = 0; i < 2; ++i) {
      cancel(types[i], loads);
      pt2_tensor *input = rows(x), *output = run_once(model, input);
      check_close(output, expected, ROWS * ROWS);
      pt2_tensor_free(output);
      pt2_tensor_free(input);
    }
  }
  pt2_free(load_at("product.pt2", PT2_OPTIMIZATION_FAST));
  pt2_free(model);
  return 0;
}
