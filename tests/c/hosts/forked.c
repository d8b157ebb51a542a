/* Forks. Before the first call, the child can use libpt2. After it, every call of the child fails
 * at once, also during calls of other threads. Freeing and queries work, and the child exits. A
 * grandchild behaves alike. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

static pt2_model *model;
static pt2_tensor *input;
static atomic_int stop, calls;

static void in_a_child(void (*test)(void)) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(20); /* Kills a child that hangs. */
    test();
    exit(3);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) {
    fprintf(stderr, "the child ended with %x\n", status);
    exit(1);
  }
}

static pt2_tensor *new_image(void) {
  static float image[2 * 3 * 32 * 32];
  const int64_t sizes[4] = {2, 3, 32, 32};
  fill(image, sizeof image / sizeof *image, 5);
  return floats(image, 4, sizes);
}

static void works(void) {
  pt2_model *loaded = load_at("conv.pt2", PT2_OPTIMIZATION_FAST);
  pt2_tensor *image = new_image();
  pt2_tensor_free(run_once(loaded, image));
  pt2_tensor_free(image);
  pt2_free(loaded);
}

static void is_refused(void) {
  pt2_model *other = NULL;
  pt2_tensor *output = NULL;
  FAILS(PT2_ERROR_FORKED, "fork before the first call", pt2_run(model, &input, 1, NULL, &output, 1));
  FAILS(PT2_ERROR_FORKED, "forked", pt2_warm(model, &input, 1, NULL));
  FAILS(PT2_ERROR_FORKED, "forked", pt2_load(archive("conv.pt2"), NULL, &other));
  FAILS(PT2_ERROR_FORKED, "forked", pt2_clone(model, &other));
  FAILS(PT2_ERROR_FORKED, "forked", pt2_tensor_from_int(1, &output));
  FAILS(PT2_ERROR_FORKED, "forked", pt2_load_op_library("any.so"));
  CHECK(output == NULL && other == NULL);
  CHECK(pt2_input_count(model) == 1 && pt2_tensor_rank(input) == 4 && pt2_tensor_sizes(input)[1] == 3);
  pt2_set_cpu_threads(1);
  pt2_tensor_free(input);
  pt2_free(model);
}

static void is_refused_twice(void) { in_a_child(is_refused); }

static void *run_on(void *unused) {
  while (!atomic_load(&stop)) {
    pt2_tensor_free(run_once(model, input));
    atomic_fetch_add(&calls, 1);
  }
  return unused;
}

int main(void) {
  in_a_child(works);
  model = load_at("conv.pt2", PT2_OPTIMIZATION_FAST);
  input = new_image();
  in_a_child(is_refused);
  pt2_tensor_free(run_once(model, input));
  in_a_child(is_refused);
  in_a_child(is_refused_twice);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, run_on, NULL) == 0);
  while (atomic_load(&calls) < 10) usleep(100);
  for (int turn = 0; turn < 4; ++turn) in_a_child(is_refused);
  atomic_store(&stop, 1);
  for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  works();
  pt2_tensor_free(input);
  pt2_free(model);
  return 0;
}
