/* Memory that runs out during a load: the nth allocation of the call fails. Each load succeeds or fails with
 * PT2_ERROR_OUT_OF_MEMORY, the process lives, and the next load works, but for one point in fifty
 * (SECURITY.md lists them). Every 23rd allocation is tried; PT2_EVERY=1 tries all of them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* glibc's own allocator, under the names it keeps for those who replace it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* Only the thread that arms it: where a new thread has no memory for its variables the C library ends the
 * process. */
static __thread long seen, target;
static __thread int counting, persistent;

/* Whether this allocation is one that fails. */
static int refused(void) {
  if (!counting) return 0;
  ++seen;
  if (target == 0 || (persistent ? seen < target : seen != target)) return 0;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return refused() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return refused() ? NULL : __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { return refused() ? NULL : __libc_realloc(block, size); }
void *memalign(size_t alignment, size_t size) { return refused() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **block, size_t alignment, size_t size) {
  void *made = memalign(alignment, size);
  if (made != NULL) *block = made;
  return made == NULL ? ENOMEM : 0;
}

/* Starts to count; allocation number `first` fails, none for 0. */
static void arm(long first, int from_then_on) {
  seen = 0;
  target = first;
  persistent = from_then_on;
  counting = 1;
}

static long disarm(void) {
  counting = 0;
  return seen;
}

static const char *path;

static pt2_error *load_once(void) {
  pt2_load_options options;
  pt2_model *model = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.without_cuda = 1;
  options.optimization = PT2_OPTIMIZATION_EXACT;
  pt2_error *error = pt2_load(path, &options, &model);
  CHECK((error == NULL) == (model != NULL));
  pt2_free(model);
  return error;
}

/* libtorch's look-ups of operators throw, and one that throws has found nothing. */
static int is_expected(int32_t code) {
  return code == PT2_ERROR_OUT_OF_MEMORY || code == PT2_ERROR_MISSING_OPERATOR;
}

/* What a process that tries one point after the other has done, in a file that outlives it. */
typedef struct {
  long next, total, tried, failed;
} progress;

static void keep(int file, const progress *done) {
  CHECK(pwrite(file, done, sizeof *done, 0) == (ssize_t)sizeof *done);
}

/* The first C++ exception of a thread needs memory for its variables, which the C library cannot do without.
 */
static void have_exceptions(void) {
  void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD), *(*globals)(void);
  CHECK(library != NULL);
  void *found = dlsym(library, "__cxa_get_globals");
  CHECK(found != NULL);
  memcpy(&globals, &found, sizeof globals);
  CHECK(globals() != NULL);
  dlclose(library);
}

static void try_all(int file, int from_then_on, long every) {
  progress done;
  CHECK(pread(file, &done, sizeof done, 0) == (ssize_t)sizeof done);
  /* The first load looks up symbols and reads the environment. */
  OK(load_once());
  arm(0, 0);
  OK(load_once());
  done.total = disarm();
  have_exceptions();
  while (done.next <= done.total) {
    const long first = done.next;
    done.next += every;
    ++done.tried;
    keep(file, &done);
    arm(first, from_then_on);
    pt2_error *error = load_once();
    disarm();
    if (error != NULL) {
      const int32_t code = pt2_error_code(error);
      if (!is_expected(code))
        fprintf(stderr, "allocation %ld: error %d: %s\n", first, (int)code, pt2_error_message(error));
      CHECK(is_expected(code));
      pt2_error_free(error);
      ++done.failed;
    }
    OK(load_once());
    keep(file, &done);
  }
}

/* Tries all points, in a new process behind each that ends one. Those are few: Rust's standard library keeps
 * the handles of threads in memory that it cannot do without, and libtorch has functions that must not throw.
 */
static void exhaust(const char *program, int from_then_on, const char *every) {
  FILE *file = tmpfile();
  CHECK(file != NULL);
  progress done = {1, 1, 0, 0};
  keep(fileno(file), &done);
  long ended = 0;
  while (done.next <= done.total) {
    char descriptor[16];
    snprintf(descriptor, sizeof descriptor, "%d", fileno(file));
    const pid_t child = fork();
    if (child == 0) {
      const struct rlimit none = {0, 0};
      setrlimit(RLIMIT_CORE, &none);
      execl(program, program, descriptor, from_then_on ? "1" : "0", every, (char *)NULL);
      _exit(2);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(pread(fileno(file), &done, sizeof done, 0) == (ssize_t)sizeof done);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    /* The second is the dynamic loader's end, where a thread has no memory for its variables. */
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) ||
          (WIFEXITED(status) && WEXITSTATUS(status) == 127));
    ++ended;
  }
  printf("%ld allocations, %ld tried %s: %ld errors, %ld end the process, the others succeed\n", done.total,
         done.tried, from_then_on ? "with all behind them" : "alone", done.failed, ended);
  CHECK(done.tried > 10 && done.failed > done.tried / 2 && ended * 50 <= done.tried);
  fclose(file);
}

int main(int count, char **words) {
  path = strdup(archive("2.11.0/mini_resnet.pt2"));
  if (count == 4) {
    try_all(atoi(words[1]), atoi(words[2]), atol(words[3]));
    return 0;
  }
  const char *every = getenv("PT2_EVERY");
  exhaust(words[0], 0, every ? every : "23");
  /* Where memory stays away, libtorch's and the shim's own handling of it runs out of memory too: to be
   * looked at. */
  if (getenv("PT2_PERSISTENT") != NULL) exhaust(words[0], 1, every ? every : "23");
  return 0;
}
