/* Memory that runs out during a call. Either the address space is exhausted, or allocation n of the
 * call fails, alone or with all later ones, in the calling thread or in all threads.
 *
 * Each call succeeds or fails with PT2_ERROR_OUT_OF_MEMORY, the process survives, and a repeated
 * call returns the same outputs. A sample of the allocations is tried; PT2_EVERY=1 tries all.
 * Arguments, for a debugger: program, way, mode, allocation. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"

/* glibc's allocator, under the names that it reserves for replacements. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

typedef enum { ALONE, REST, REST_OF_ALL_THREADS, MODES } refusal;

static __thread int is_caller;
static atomic_long seen, target;
static atomic_int counting;
static refusal mode;

/* Returns true if this allocation must fail. */
static int refused(void) {
  if (!atomic_load_explicit(&counting, memory_order_relaxed)) return 0;
  if (!is_caller) {
    if (mode != REST_OF_ALL_THREADS || target == 0 || seen < target) return 0;
  } else {
    const long number = ++seen;
    if (target == 0 || (mode == ALONE ? number != target : number < target)) return 0;
  }
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

/* Starts to count. Allocation number `first` fails; 0 means none. */
static void arm(long first) {
  seen = 0;
  target = first;
  is_caller = 1;
  counting = 1;
}

static long disarm(void) {
  counting = 0;
  return seen;
}

/* Model with one input and one output. Its calls are compared unless it has state. */
typedef struct {
  const char *archive;
  int has_state;
  size_t rank;
  int64_t sizes[4];
} program;

static const program programs[] = {
    {"tests/archives/2.11.0/mini_resnet.pt2", 0, 4, {2, 3, 32, 32}},
    {"tests/c/hosts/archives/causal.pt2", 0, 2, {ROWS, COLUMNS}},
    {"tests/archives/2.11.0/mutation.pt2", 1, 2, {4, 3}},
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

static float data[2 * 3 * 32 * 32], expected[4096];
static const program *chosen;
static pt2_model *model;
static pt2_tensor *input, *room;
static size_t bytes;

static pt2_error *load_into(pt2_model **loaded, int32_t level) {
  pt2_load_options options = {0};
  options.struct_size = sizeof options;
  options.without_cuda = 1;
  options.optimization = level;
  return pt2_load(chosen->archive, &options, loaded);
}

static pt2_error *load_at_level(int32_t level) {
  pt2_model *loaded = NULL;
  pt2_error *error = load_into(&loaded, level);
  CHECK((error == NULL) == (loaded != NULL));
  pt2_free(loaded);
  return error;
}

static pt2_error *loads_exact(void) { return load_at_level(PT2_OPTIMIZATION_EXACT); }

static pt2_error *loads_fast(void) { return load_at_level(PT2_OPTIMIZATION_FAST); }

static pt2_error *runs(void) {
  pt2_tensor *output = NULL;
  pt2_error *error = pt2_run(model, &input, 1, NULL, &output, 1);
  CHECK((error == NULL) == (output != NULL));
  if (output != NULL && !chosen->has_state) CHECK(same_floats(output, expected, bytes / sizeof(float)));
  pt2_tensor_free(output);
  return error;
}

static pt2_error *runs_into(void) {
  memset(pt2_tensor_data(room), 0, bytes);
  pt2_error *error = pt2_run_into(model, &input, 1, NULL, &room, 1);
  if (error == NULL && !chosen->has_state) CHECK(same_floats(room, expected, bytes / sizeof(float)));
  return error;
}

static pt2_error *warms(void) { return pt2_warm(model, &input, 1, NULL); }

static pt2_error *clones(void) {
  pt2_model *copy = NULL;
  pt2_error *error = pt2_clone(model, &copy);
  CHECK((error == NULL) == (copy != NULL));
  pt2_free(copy);
  return error;
}

typedef struct {
  const char *name;
  pt2_error *(*call)(void);
  /* On a model without earlier calls; in a thread without earlier calls. */
  int on_new_model, in_new_thread;
} way;

static const way ways[] = {{"load exact", loads_exact, 0, 0},
                           {"load fast", loads_fast, 0, 0},
                           {"first run", runs, 1, 0},
                           {"run", runs, 0, 0},
                           {"run in a thread", runs, 0, 1},
                           {"run into", runs_into, 0, 0},
                           {"warm", warms, 1, 0},
                           {"clone", clones, 0, 0}};
enum { WAYS = sizeof ways / sizeof *ways };

static void renew(void) {
  pt2_free(model);
  model = NULL;
  OK(load_into(&model, PT2_OPTIMIZATION_FAST));
}

static void prepare(const program *next) {
  chosen = next;
  fill(data, sizeof data / sizeof *data, 3);
  pt2_tensor_free(input);
  pt2_tensor_free(room);
  input = floats(data, chosen->rank, chosen->sizes);
  room = NULL;
  renew();
  OK(pt2_run(model, &input, 1, NULL, &room, 1));
  bytes = (size_t)element_count(room) * sizeof(float);
  CHECK(bytes <= sizeof expected);
  memcpy(expected, pt2_tensor_data(room), bytes);
}

/* One call in which allocation `point` fails. */
typedef struct {
  const way *how;
  long point, allocations;
  pt2_error *error;
} attempt;

static void *make(void *given) {
  attempt *this = given;
  arm(this->point);
  this->error = this->how->call();
  this->allocations = disarm();
  is_caller = 0;
  return NULL;
}

static attempt try_once(const way *how, long point) {
  attempt this = {how, point, 0, NULL};
  if (how->on_new_model) renew();
  if (how->in_new_thread) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make, &this) == 0 && pthread_join(thread, NULL) == 0);
  } else {
    make(&this);
  }
  return this;
}

/* Returns whether the call failed. */
static int try_point(const way *how, long point) {
  const attempt made = try_once(how, point);
  if (made.error != NULL && pt2_error_code(made.error) != PT2_ERROR_OUT_OF_MEMORY) {
    fprintf(stderr, "%s, %s, mode %d, allocation %ld: %s\n", chosen->archive, how->name, (int)mode, point,
            pt2_error_message(made.error));
    exit(1);
  }
  pt2_error_free(made.error);
  OK(how->call());
  return made.error != NULL;
}

static void try_sample(const way *how, long wanted) {
  OK(how->call());
  const attempt whole = try_once(how, 0);
  OK(whole.error);
  /* In a new thread some failures end the process: the C library needs memory (SECURITY.md). */
  const char *given = getenv("PT2_EVERY");
  const long every = given != NULL && !how->in_new_thread ? atol(given) : whole.allocations / wanted + 1;
  long tried = 0, failed = 0;
  printf("%s, %s, mode %d: %ld allocations", chosen->archive, how->name, (int)mode, whole.allocations);
  fflush(stdout);
  for (long point = 1; point <= whole.allocations; point += every) {
    ++tried;
    failed += try_point(how, point);
  }
  printf(", %ld tried, %ld errors\n", tried, failed);
  /* The first allocations are the call's own. If only one fails, helper threads may be refused. */
  CHECK(tried == 0 || failed > 0 || whole.allocations < 8);
}

static void limit_address_space(rlim_t most) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static rlim_t address_space(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%lu", &pages) == 1);
  fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Allocates blocks of all sizes until memory is exhausted. Each block holds the address of the one
 * before. */
static void **take_all(void) {
  void **last = NULL;
  for (size_t size = (size_t)16 << 20; size >= 24; size /= 2) {
    for (void **block; (block = malloc(size)) != NULL; last = block) *block = last;
  }
  return last;
}

/* Exhausts a limited address space except for some blocks. */
static void call_without_memory(const way *how, int blocks) {
  void *kept[64];
  if (how->on_new_model) renew();
  limit_address_space(address_space());
  for (int i = 0; i < blocks; ++i) kept[i] = malloc((size_t)100 << 10);
  void **all = take_all();
  while (blocks > 0) free(kept[--blocks]);
  pt2_error *error = how->call();
  limit_address_space(RLIM_INFINITY);
  for (void **before; all != NULL; all = before) {
    before = *all;
    free(all);
  }
  if (error != NULL && pt2_error_code(error) != PT2_ERROR_OUT_OF_MEMORY) OK(error);
  pt2_error_free(error);
  OK(how->call());
}

int main(int count, char **words) {
  /* libgomp reads it when it is loaded: spinning threads would slow other tests. */
  CHECK(setenv("OMP_WAIT_POLICY", "passive", 1) == 0);
  if (count == 5) {
    mode = (refusal)atoi(words[3]);
    prepare(&programs[atoi(words[1])]);
    OK(ways[atoi(words[2])].call());
    printf("error: %d\n", try_point(&ways[atoi(words[2])], atol(words[4])));
    return 0;
  }
  for (int which = 0; which < PROGRAMS; ++which) {
    prepare(&programs[which]);
    for (int how = 0; how < WAYS; ++how) {
      for (int blocks = 0; blocks < 64; blocks = 2 * blocks + 1) call_without_memory(&ways[how], blocks);
    }
    for (int how = 0; how < WAYS; ++how) {
      /* A short program would sample allocations that the C library needs. */
      if (ways[how].in_new_thread && which > 0) continue;
      const int loads = ways[how].call == loads_exact || ways[how].call == loads_fast;
      /* Threads that a load starts have no memory for their thread-local variables: the C library
       * ends the process. */
      const int modes = loads ? REST_OF_ALL_THREADS : MODES;
      for (int next = 0; next < modes; ++next) {
        mode = (refusal)next;
        try_sample(&ways[how], ways[how].in_new_thread ? 4 : loads ? 20 : 40);
      }
    }
  }
  return 0;
}
