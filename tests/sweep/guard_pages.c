/* Allocates tensors between inaccessible pages. Accesses outside of those are a SIGSEGV; writes
 * beside a tensor within its pages are a SIGABRT when it is freed. Preloaded into the process that
 * sweeps operators.
 *
 *    gcc -O2 -shared -fPIC guard_pages.c -o guard_pages.so */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);

enum { PAGE = 4096, MARK = 0xCB };
static const size_t REGION = (size_t)64 << 30, LARGEST = (size_t)64 << 20;
static _Atomic(char *) begin;
static atomic_size_t used;

struct block {
  size_t size, pages;
};

static char *region(void) {
  char *found = atomic_load(&begin);
  if (found) return found;
  char *made = mmap(NULL, REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) abort();
  if (!atomic_compare_exchange_strong(&begin, &found, made)) {
    munmap(made, REGION);
    return found;
  }
  return made;
}

/* Layout: a page with the block's sizes, an inaccessible page, the block, an inaccessible page. */
int posix_memalign(void **out, size_t alignment, size_t size) {
  if (size > LARGEST || alignment > PAGE) goto plain;
  size_t rounded = (size + 63) & ~(size_t)63, pages = (rounded + PAGE - 1) / PAGE;
  if (pages == 0) pages = 1;
  size_t total = (pages + 3) * PAGE, at = atomic_fetch_add(&used, total);
  if (at + total > REGION) goto plain;
  char *first = region() + at, *data = first + 2 * PAGE, *end = data + pages * PAGE;
  if (mprotect(first, PAGE, PROT_READ | PROT_WRITE) || mprotect(data, pages * PAGE, PROT_READ | PROT_WRITE))
    goto plain; /* A process may have 65530 mappings. */
  *(struct block *)first = (struct block){size, pages};
  memset(data, MARK, pages * PAGE);
  *out = end - rounded;
  return 0;
plain:
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : ENOMEM;
}

void free(void *pointer) {
  char *from = atomic_load(&begin), *at = pointer;
  if (!from || at < from || at >= from + REGION) {
    __libc_free(pointer);
    return;
  }
  char *data = (char *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1)), *first = data - 2 * PAGE;
  struct block block = *(struct block *)first;
  char *end = data + block.pages * PAGE;
  for (char *byte = data; byte < at; ++byte)
    if ((unsigned char)*byte != MARK) abort();
  for (char *byte = at + block.size; byte < end; ++byte)
    if ((unsigned char)*byte != MARK) abort();
  size_t total = (block.pages + 3) * PAGE;
  madvise(first, total, MADV_DONTNEED);
  mprotect(first, total, PROT_NONE);
}
