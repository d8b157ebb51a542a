/* Threads that cannot be created, as under the limit of a container or user: loads and runs work
 * with the existing ones. This program's pthread_create replaces the C library's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "host.h"

enum { MANY = 1000000 };

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* Number of threads that can still be created; unlimited if negative. */
static atomic_int left = -1;
static atomic_int refused;

struct work {
  void *(*start)(void *);
  void *argument;
};

static void *until_it_ends(void *argument) {
  const struct work work = *(struct work *)argument;
  free(argument);
  void *result = work.start(work.argument);
  if (atomic_load(&left) >= 0) atomic_fetch_add(&left, 1);
  return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
  create_function *create;
  *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
  if (atomic_load(&left) < 0) return create(thread, attributes, start, argument);
  if (atomic_fetch_sub(&left, 1) <= 0) {
    atomic_fetch_add(&left, 1);
    atomic_fetch_add(&refused, 1);
    return EAGAIN;
  }
  struct work *work = malloc(sizeof *work);
  *work = (struct work){start, argument};
  return create(thread, attributes, until_it_ends, work);
}

static float x[MANY], y[MANY];
static pt2_model *square;

static void squares(void) {
  const int64_t count = MANY;
  pt2_tensor *input = floats(x, 1, &count), *output = run_once(square, input);
  CHECK(same_floats(output, y, MANY));
  pt2_tensor_free(output);
  pt2_tensor_free(input);
}

/* libtorch's pool belongs to the calling thread, so each thread begins without one. */
static void *in_a_thread(void *limit) {
  atomic_store(&refused, 0);
  atomic_store(&left, *(int *)limit);
  squares();
  squares();
  /* At least one thread was requested and refused. */
  CHECK(*(int *)limit < 0 || atomic_load(&refused) > 0);
  atomic_store(&left, -1);
  return NULL;
}

int main(void) {
  fill(x, MANY, 9);
  for (int i = 0; i < MANY; ++i) y[i] = x[i] * x[i];
  pt2_set_cpu_threads(8);
  atomic_store(&left, 0);
  OK(pt2_load(archive("square.pt2"), NULL, &square));
  atomic_store(&left, -1);
  int limits[] = {0, 1, 3, 6, -1};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, in_a_thread, &limits[i]) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
  }
  pt2_free(square);
  return 0;
}
