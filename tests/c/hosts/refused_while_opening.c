/* A call that an exit refuses gets its error while another thread opens libtorch. The error stays
 * valid, and can be read and freed, after that thread has succeeded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "host.h"

static atomic_int opening, refused, opened, exiting, checked;

static void wait_for(atomic_int *event) {
  while (!atomic_load(event)) usleep(1000);
}

/* Found by libpt2.so before the C library's: libtorch is opened once the other call is refused. */
void *dlopen(const char *path, int flags) {
  void *(*next)(const char *, int) = NULL;
  *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
  if (path != NULL && strstr(path, "libpt2_core") != NULL) {
    atomic_store(&opening, 1);
    wait_for(&refused);
  }
  return next(path, flags);
}

static void *opens(void *unused) {
  CHECK(strcmp(pt2_libtorch_version(), "") != 0);
  atomic_store(&opened, 1);
  return unused;
}

static void *is_refused(void *unused) {
  pt2_model *model = NULL;
  wait_for(&exiting);
  /* libpt2's handler of the exit runs after this program's and then waits for `opens`. */
  usleep(100000);
  pt2_error *error = pt2_load(archive("product.pt2"), NULL, &model);
  CHECK(pt2_error_code(error) == PT2_ERROR_EXITING);
  atomic_store(&refused, 1);
  wait_for(&opened);
  CHECK(pt2_error_code(error) == PT2_ERROR_EXITING);
  CHECK(strstr(pt2_error_message(error), "exiting") != NULL);
  CHECK(pt2_error_input(error) == NULL);
  pt2_error_free(error);
  atomic_store(&checked, 1);
  return unused;
}

static void exit_begins(void) { atomic_store(&exiting, 1); }

static void exit_ends(void) { wait_for(&checked); }

int main(void) {
  pthread_t thread;
  alarm(60);
  /* Before libpt2's handler is registered, so it runs after it. */
  atexit(exit_ends);
  CHECK(pthread_create(&thread, NULL, opens, NULL) == 0);
  wait_for(&opening);
  atexit(exit_begins);
  CHECK(pthread_create(&thread, NULL, is_refused, NULL) == 0);
  return 0;
}
