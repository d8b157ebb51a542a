/* Process that finds libtorch in one of several ways, and loads a model. With an argument, the
 * error must contain it. With a second one, that library is opened before. */
#include <dlfcn.h>

#include "../check.h"

int main(int argc, char **argv) {
  if (argc > 2) CHECK(dlopen(argv[2], RTLD_LAZY | RTLD_LOCAL) != NULL);
  if (argc > 1) {
    pt2_model *model = NULL;
    FAILS(PT2_ERROR_LIBTORCH, argv[1], pt2_load(archive("2.11.0/mini_resnet.pt2"), NULL, &model));
    return 0;
  }
  pt2_free(load("2.11.0/mini_resnet.pt2"));
  CHECK(strncmp(pt2_libtorch_version(), "2.", 2) == 0);
  return 0;
}
