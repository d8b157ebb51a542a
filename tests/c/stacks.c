/* Threads with small stacks: 96 KiB, or the system's minimum if that is more, suffice to load, run
 * and free, and to reject the most deeply nested texts. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>

#include "check.h"

#define IMAGE (3 * 32 * 32)

static void *loads_and_runs(void *unused) {
  static float image[IMAGE];
  const int64_t sizes[4] = {1, 3, 32, 32};
  (void)unused;
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  pt2_tensor *input = floats(image, 4, sizes), *output = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  pt2_tensor_free(output);
  pt2_tensor_free(input);
  pt2_free(model);
  return NULL;
}

/* Containers nested 120 levels deep, about the maximum that PyTorch exports. */
static void *loads_what_nests(void *unused) {
  (void)unused;
  pt2_free(load("../special_archives/2.11.0/deep.pt2"));
  return NULL;
}

static void with_stack(size_t kibibytes, void *(*work)(void *)) {
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, kibibytes << 10) == 0);
  CHECK(pthread_create(&thread, &attributes, work, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  pthread_attr_destroy(&attributes);
}

int main(void) {
  /* The first call does the work of once per process, such as loading libtorch. */
  CHECK(pt2_libtorch_version() != NULL);
  const size_t system = (size_t)PTHREAD_STACK_MIN >> 10, least = system > 96 ? system : 96;
  for (size_t kibibytes = least; kibibytes <= 1024; kibibytes += kibibytes / 3) {
    with_stack(kibibytes, loads_and_runs);
    with_stack(kibibytes, loads_what_nests);
  }
  return 0;
}
