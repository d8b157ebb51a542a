/* libpt2.so loaded by a relative path, with a change of the working directory before its first use,
 * as daemon() does. Arguments: the library and an archive. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (library == NULL || chdir("/") != 0) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  void *(*load)(const char *, const void *, void **);
  const char *(*message)(const void *);
  *(void **)&load = dlsym(library, "pt2_load");
  *(void **)&message = dlsym(library, "pt2_error_message");
  void *model = NULL;
  const void *error = load(argv[2], NULL, &model);
  if (error != NULL) fprintf(stderr, "%s\n", message(error));
  return error != NULL || model == NULL;
}
