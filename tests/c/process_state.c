/* Process state before and after each call is equal, whether the call succeeds or fails. Compared
 * are signal handlers and masks, floating-point modes, working directory, file mode mask, locale,
 * environment and resource limits. */
#define _GNU_SOURCE
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "hosts/fp_registers.h"

#define SIGNALS 65
#define LIMITS 16

extern char **environ;

typedef struct {
  void (*handlers[SIGNALS])(int);
  int blocked[SIGNALS];
  int flushes, rounding, traps;
  char folder[4096];
  mode_t mask;
  char locale[256];
  uint64_t environment;
  struct rlimit limits[LIMITS];
} world;

static world now(void) {
  world found;
  sigset_t blocked;
  memset(&found, 0, sizeof found);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &blocked) == 0);
  for (int number = 1; number < SIGNALS; ++number) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0) found.handlers[number] = action.sa_handler;
    found.blocked[number] = sigismember(&blocked, number);
  }
#ifdef PT2_HAS_FP_REGISTERS
  found.flushes = fp_flushes();
#endif
  found.rounding = fegetround();
  found.traps = fegetexcept();
  CHECK(getcwd(found.folder, sizeof found.folder) != NULL);
  found.mask = umask(0);
  umask(found.mask);
  snprintf(found.locale, sizeof found.locale, "%s", setlocale(LC_ALL, NULL));
  for (char **entry = environ; *entry != NULL; ++entry)
    for (const char *byte = *entry; *byte != '\0'; ++byte)
      found.environment = found.environment * 31 + (unsigned char)*byte;
  for (int limit = 0; limit < LIMITS; ++limit)
    CHECK(getrlimit((__rlimit_resource_t)limit, &found.limits[limit]) == 0);
  return found;
}

static world before;

#define UNCHANGED(call)                                    \
  do {                                                     \
    call;                                                  \
    const world after = now();                             \
    if (memcmp(&before, &after, sizeof before) != 0) {     \
      fprintf(stderr, "the process changed: %s\n", #call); \
      exit(1);                                             \
    }                                                      \
  } while (0)

int main(void) {
  static float image[3 * 32 * 32];
  const int64_t sizes[4] = {1, 3, 32, 32};
  pt2_model *model = NULL, *clone = NULL;
  pt2_tensor *output = NULL, *none = NULL;
  pt2_load_options options;
  sigset_t blocked;
  CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL || setlocale(LC_ALL, "C") != NULL);
  umask(027);
  CHECK(sigemptyset(&blocked) == 0 && sigaddset(&blocked, SIGUSR2) == 0);
  CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
#ifdef PT2_HAS_FP_REGISTERS
  fp_write(FP_FLUSHES);
#endif
  CHECK(fesetround(FE_UPWARD) == 0);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.without_cuda = 1;
  const char *path = archive("2.11.0/mini_resnet.pt2");
  before = now();
  UNCHANGED(OK(pt2_load(path, &options, &model)));
  pt2_tensor *input = floats(image, 4, sizes);
  UNCHANGED(OK(pt2_run(model, &input, 1, NULL, &output, 1)));
  UNCHANGED(OK(pt2_warm(model, &input, 1, NULL)));
  UNCHANGED(OK(pt2_clone(model, &clone)));
  UNCHANGED(FAILS(PT2_ERROR_INPUT, "", pt2_run(model, &none, 1, NULL, &output, 1)));
  UNCHANGED(FAILS(PT2_ERROR_IO, "", pt2_load("/nowhere.pt2", &options, &clone)));
  UNCHANGED(pt2_free(clone));
  UNCHANGED(pt2_free(model));
  pt2_tensor_free(input);
  pt2_tensor_free(output);
  /* Control. */
  CHECK(fesetround(FE_TONEAREST) == 0);
  const world changed = now();
  CHECK(memcmp(&before, &changed, sizeof before) != 0);
  return 0;
}
