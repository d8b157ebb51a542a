/* main returns while other threads are inside of calls, as when a service ends. The process ends
 * with main's status, and concurrent calls fail with errors. Each way of ending is a separate
 * process. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

static pt2_model *model;
static atomic_int errors;
static float image[2 * 3 * 32 * 32];

static pt2_tensor *new_image(void) {
  const int64_t sizes[4] = {2, 3, 32, 32};
  return floats(image, 4, sizes);
}

static int may_go_on(pt2_error *error) {
  if (error == NULL) return 1;
  if (pt2_error_code(error) != PT2_ERROR_EXITING) abort();
  pt2_error_free(error);
  atomic_fetch_add(&errors, 1);
  return 0;
}

static void *runs(void *unused) {
  pt2_tensor *input = new_image();
  for (;;) {
    pt2_tensor *output = NULL;
    if (may_go_on(pt2_run(model, &input, 1, NULL, &output, 1))) CHECK(output != NULL);
    pt2_tensor_free(output);
  }
  return unused;
}

static void *loads(void *unused) {
  for (;;) {
    pt2_model *loaded = NULL;
    may_go_on(pt2_load(getenv("CONV"), NULL, &loaded));
    pt2_free(loaded);
  }
  return unused;
}

static void model_is_loaded(void) { model = load_at("conv.pt2", PT2_OPTIMIZATION_FAST); }

/* Registered before libtorch's destructors, so it runs after them. */
static void free_late(void) {
  pt2_tensor *output = NULL, *input = NULL;
  const int64_t size = 1;
  FAILS(PT2_ERROR_EXITING, "exiting",
        pt2_tensor_from_memory(image, PT2_DTYPE_FLOAT32, &size, NULL, 1, NULL, NULL, NULL, &input));
  FAILS(PT2_ERROR_EXITING, "exiting", pt2_run(model, &input, 1, NULL, &output, 1));
  CHECK(pt2_input_count(model) == 1);
  pt2_free(model);
  fflush(stdout);
}

static void exit_inside(void *unused) {
  (void)unused;
  exit(7);
}

/* Ends the process like main. */
static void end(int way) {
  if (way == 2) atexit(free_late);
  model_is_loaded();
  if (way == 3) { /* The release callback of a tensor ends the process, inside of a call. */
    pt2_tensor *tensor = NULL;
    const int64_t size = 1;
    OK(pt2_tensor_from_memory(image, PT2_DTYPE_FLOAT32, &size, NULL, 1, NULL, exit_inside, NULL, &tensor));
    pt2_tensor_free(tensor);
  }
  if (way < 2) {
    pthread_t thread;
    for (int i = 0; i < 4; ++i) CHECK(pthread_create(&thread, NULL, way == 0 ? runs : loads, NULL) == 0);
    usleep(100000);
  }
  exit(7);
}

/* main exits while another thread's first call loads libtorch: its initialisers are running. */
static void end_while_opening(useconds_t delay) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, loads, NULL) == 0);
  usleep(delay);
  exit(7);
}

static int ends_with_seven(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 7) return 1;
  fprintf(stderr, "status %x\n", (unsigned)status);
  return 0;
}

/* With an argument, runs one way only, for a debugger. */
int main(int argc, char **argv) {
  setenv("CONV", archive("conv.pt2"), 1);
  fill(image, sizeof image / sizeof *image, 5);
  if (argc > 1) end(atoi(argv[1]));
  /* The last two ways do not vary with the turn. */
  for (int turn = 0; turn < 2; ++turn) {
    for (int way = 0; way < (turn == 0 ? 4 : 2); ++way) {
      const pid_t child = fork();
      CHECK(child >= 0);
      if (child == 0) {
        alarm(60);
        end(way);
      }
      if (!ends_with_seven(child)) {
        fprintf(stderr, "way %d, turn %d\n", way, turn);
        return 1;
      }
    }
  }
  /* Loading libtorch takes 0.2 to 0.6 s. */
  for (useconds_t delay = 0; delay < 500000; delay += 25000) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);
      end_while_opening(delay);
    }
    if (!ends_with_seven(child)) {
      fprintf(stderr, "while libtorch is opened, after %u us\n", (unsigned)delay);
      return 1;
    }
  }
  return 0;
}
