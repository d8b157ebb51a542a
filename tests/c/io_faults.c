/* System calls that fail during a load: the nth open, stat, read or map fails with each of several
 * errors, alone or with all later ones.
 *
 * Each load succeeds or fails with an error that names the cause. Interrupted calls are repeated,
 * reads of seven bytes at a time load the same model, and the next load works. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "check.h"

static atomic_long seen, target;
static atomic_bool counting, persistent, trickling;
static atomic_int number;

/* Returns true if this call must fail. Calls that the system never interrupts are not interrupted.
 */
static int refused(int interruptible) {
  if (!atomic_load(&counting) || (atomic_load(&number) == EINTR && !interruptible)) return 0;
  const long call = atomic_fetch_add(&seen, 1) + 1, first = atomic_load(&target);
  if (first == 0 || (atomic_load(&persistent) ? call < first : call != first)) return 0;
  errno = atomic_load(&number);
  return 1;
}

/* Looks up the C library's function of this name. */
#define REAL(type, name)                  \
  static type real = NULL;                \
  if (real == NULL) {                     \
    void *found = dlsym(RTLD_NEXT, name); \
    memcpy(&real, &found, sizeof real);   \
  }

typedef int (*open_function)(const char *, int, ...);
int open64(const char *file, int flags, ...) {
  REAL(open_function, "open64")
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return refused(1) ? -1 : real(file, flags, mode);
}

typedef int (*statx_function)(int, const char *, int, unsigned, struct statx *);
int statx(int folder, const char *restrict file, int flags, unsigned mask, struct statx *restrict found) {
  REAL(statx_function, "statx")
  return refused(0) ? -1 : real(folder, file, flags, mask, found);
}

typedef ssize_t (*read_function)(int, void *, size_t);
ssize_t read(int file, void *bytes, size_t count) {
  REAL(read_function, "read")
  if (refused(1)) return -1;
  return real(file, bytes, atomic_load(&trickling) && count > 7 ? 7 : count);
}

typedef void *(*map_function)(void *, size_t, int, int, int, off64_t);
void *mmap64(void *address, size_t size, int protection, int flags, int file, off64_t offset) {
  REAL(map_function, "mmap64")
  return refused(0) ? MAP_FAILED : real(address, size, protection, flags, file, offset);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  REAL(map_function, "mmap")
  return refused(0) ? MAP_FAILED : real(address, size, protection, flags, file, offset);
}

typedef int (*fstatfs_function)(int, struct statfs64 *);
int fstatfs64(int file, struct statfs64 *found) {
  REAL(fstatfs_function, "fstatfs64")
  return refused(0) ? -1 : real(file, found);
}

static const char *path;

static pt2_error *loads(int32_t memory) {
  pt2_load_options options;
  pt2_model *model = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.without_cuda = 1;
  options.memory = memory;
  pt2_error *error = pt2_load(path, &options, &model);
  CHECK((error == NULL) == (model != NULL));
  pt2_free(model);
  return error;
}

static long arm(long first, int from_then_on, int error) {
  atomic_store(&seen, 0);
  atomic_store(&target, first);
  atomic_store(&persistent, from_then_on);
  atomic_store(&number, error);
  atomic_store(&counting, 1);
  return first;
}

static void each_call_fails(int32_t memory, int from_then_on, int error) {
  arm(0, 0, error);
  OK(loads(memory));
  atomic_store(&counting, 0);
  const long total = atomic_load(&seen);
  long failed = 0;
  for (long first = 1; first <= total; ++first) {
    arm(first, from_then_on, error);
    pt2_error *found = loads(memory);
    atomic_store(&counting, 0);
    if (found != NULL) {
      const int32_t code = pt2_error_code(found);
      if (code != PT2_ERROR_IO && code != PT2_ERROR_OUT_OF_MEMORY)
        printf("call %ld, errno %d: error %d: %s\n", first, error, (int)code, pt2_error_message(found));
      CHECK(code == PT2_ERROR_IO || code == PT2_ERROR_OUT_OF_MEMORY);
      CHECK(pt2_error_message(found)[0] != '\0');
      /* A single interruption is not an error. */
      CHECK(error != EINTR || from_then_on);
      pt2_error_free(found);
      ++failed;
    }
    OK(loads(memory));
  }
  printf("%s, %s, errno %d: %ld calls, %ld errors\n", memory == PT2_MEMORY_MAP ? "map" : "copy",
         from_then_on ? "persistent" : "once", error, total, failed);
  CHECK(total > 2 && (failed > 0 || error == EINTR));
}

int main(void) {
  static const int errors[] = {EIO, EINTR, ENOMEM, EMFILE, EACCES};
  pt2_free(load("2.11.0/mini_resnet.pt2"));
  path = strdup(archive("2.11.0/mini_resnet.pt2"));
  for (int32_t memory = PT2_MEMORY_MAP; memory <= PT2_MEMORY_COPY; ++memory)
    for (size_t each = 0; each < sizeof errors / sizeof *errors; ++each)
      for (int from_then_on = 0; from_then_on < 2; ++from_then_on)
        /* A call that is always interrupted is repeated forever. */
        if (errors[each] != EINTR || !from_then_on) each_call_fails(memory, from_then_on, errors[each]);
  atomic_store(&trickling, 1);
  OK(loads(PT2_MEMORY_COPY));
  return 0;
}
