/* Process that finds libtorch in one of several ways, and loads a model. With arguments, the load
 * fails with an error that contains all of them. Variables of the environment: OPEN is a library
 * that the process opens before, SET the folder that it names. */
#include <dlfcn.h>
#include <stdlib.h>

#include "../check.h"

static void refused(int count, char **texts) {
  for (int i = 0; i < count; i++) {
    pt2_model *model = NULL;
    FAILS(PT2_ERROR_LIBTORCH, texts[i], pt2_load(archive("2.11.0/mini_resnet.pt2"), NULL, &model));
    CHECK(strstr(pt2_doctor(), texts[i]) != NULL);
  }
  CHECK(strcmp(pt2_libtorch_version(), "") == 0);
  FAILS(PT2_ERROR_LIBTORCH, texts[0], pt2_set_libtorch(NULL));
}

static void found(const char *set) {
  pt2_free(load("2.11.0/mini_resnet.pt2"));
  CHECK(strncmp(pt2_libtorch_version(), "2.", 2) == 0);
  CHECK(strstr(pt2_doctor(), "libpt2_core-2.") != NULL);
  CHECK(strstr(pt2_doctor(), pt2_libtorch_version()) != NULL);
  CHECK(strstr(pt2_doctor(), "error") == NULL);
  OK(pt2_set_libtorch(NULL));
  if (set != NULL) OK(pt2_set_libtorch(set));
  FAILS(PT2_ERROR_ARGUMENT, "this process already uses", pt2_set_libtorch("/"));
}

int main(int argc, char **argv) {
  const char *open = getenv("OPEN");
  const char *set = getenv("SET");
  if (open != NULL) CHECK(dlopen(open, RTLD_LAZY | RTLD_LOCAL) != NULL);
  FAILS(PT2_ERROR_ARGUMENT, "has neither libtorch_cpu.so nor lib", pt2_set_libtorch("/nowhere"));
  OK(pt2_set_libtorch(NULL));
  if (set != NULL) OK(pt2_set_libtorch(set));
  if (argc > 1) {
    refused(argc - 1, argv + 1);
  } else {
    found(set);
  }
  return 0;
}
