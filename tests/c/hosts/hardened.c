/* Service that may not execute memory that it wrote (MemoryDenyWriteExecute, Linux 6.3): outputs
 * equal those of other processes. */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outputs.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

enum { MOST = 1 << 16 };

static const struct input {
  const char *name;
  size_t rank;
  int64_t sizes[4];
} inputs[] = {{"conv.pt2", 4, {2, 3, 32, 32}}, {"lstm.pt2", 3, {1, 5, 7, 1}}, {"gelu.pt2", 2, {5, 7, 1, 1}}};

/* Runs every model and writes its first output. */
static void run_all(int out) {
  static float data[MOST];
  fill(data, MOST, 4);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; ++i) {
    for (int32_t level = PT2_OPTIMIZATION_EXACT; level <= PT2_OPTIMIZATION_FAST; ++level) {
      pt2_model *model = load_at(inputs[i].name, level);
      pt2_tensor *input = floats(data, inputs[i].rank, inputs[i].sizes), *outputs[8] = {0}, *host = NULL;
      const size_t count = pt2_output_count(model);
      OK(pt2_run(model, &input, 1, NULL, outputs, count));
      OK(pt2_tensor_to_host(outputs[0], &host));
      const size_t size = (size_t)element_count(host) * sizeof(float);
      CHECK(write(out, pt2_tensor_data(host), size) == (ssize_t)size);
      for (size_t k = 0; k < count; ++k) pt2_tensor_free(outputs[k]);
      pt2_tensor_free(host);
      pt2_tensor_free(input);
      pt2_free(model);
    }
  }
  outputs_are_right();
}

/* Runs in a child process. Returns 77 if the system lacks the restriction. */
static int run_in_a_child(int hardened, FILE *out) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    if (hardened && prctl(PR_SET_MDWE, 1UL, 0UL, 0UL, 0UL) != 0) _exit(77);
    run_all(fileno(out));
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  return WEXITSTATUS(status);
}

int main(void) {
  static float expected[MOST], found[MOST];
  FILE *files[2] = {tmpfile(), tmpfile()};
  CHECK(files[0] != NULL && files[1] != NULL);
  CHECK(run_in_a_child(0, files[0]) == 0);
  const int result = run_in_a_child(1, files[1]);
  if (result == 77) return 77;
  CHECK(result == 0);
  rewind(files[0]);
  rewind(files[1]);
  const size_t count = fread(expected, sizeof *expected, MOST, files[0]);
  CHECK(count > 0 && fread(found, sizeof *found, MOST, files[1]) == count);
  for (size_t i = 0; i < count; ++i) CHECK(fabsf(found[i] - expected[i]) < 1e-5f);
  return 0;
}
