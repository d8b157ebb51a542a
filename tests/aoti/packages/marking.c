/* Library with AOTInductor's interface (aoti_runtime/interface.h, 2.9 to 2.15), whose single call
 * returns its only input. When loaded, it creates the file that PT2_MARK names. PT2_TORCH_MINOR is
 * the minor version of PyTorch 2 whose interface it has. With PT2_KERNEL, it looks up a function in
 * that library of kernels, as loadCpuTritonKernel does. With PT2_FAILS, its call fails, and only
 * AOTInductorGetLastError has the reason. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAF "{\"type\": null, \"context\": null, \"children_spec\": []}"
#define TUPLE "{\"type\": \"builtins.tuple\", \"context\": \"null\", \"children_spec\": ["
#define DICT "{\"type\": \"builtins.dict\", \"context\": \"[]\", \"children_spec\": []}"

__attribute__((constructor)) static void mark(void) {
  const char *path = getenv("PT2_MARK");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (file) fclose(file);
}

static int32_t counted(size_t *out, size_t count) {
  *out = count;
  return 0;
}

int32_t AOTInductorModelContainerCreateWithDevice(void **out, size_t instances, const char *device,
                                                  const char *kernels) {
  static char container;
  (void)instances, (void)device, (void)kernels;
  *out = &container;
#ifdef PT2_KERNEL
  char path[4096];
  snprintf(path, sizeof path, "%s/" PT2_KERNEL, kernels ? kernels : "");
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return library == NULL || dlsym(library, "pt2_kernel") == NULL;
#else
  return 0;
#endif
}

#if PT2_TORCH_MINOR >= 10
int32_t AOTInductorModelUpdateConstantsFromBlob(void *container, const uint8_t *blob) {
  return container == NULL || blob == NULL;
}
#endif

#if PT2_TORCH_MINOR >= 13 || defined(PT2_FAILS)
int32_t AOTInductorGetLastError(const char **out) {
#ifdef PT2_FAILS
  *out = "out of luck\nException raised from nowhere";
#else
  *out = "";
#endif
  return 0;
}
#endif

#if PT2_TORCH_MINOR >= 14
int32_t AOTInductorModelContainerCreateWithExternalConstants(void) { return 1; }
#endif

#if PT2_TORCH_MINOR >= 15
int32_t AOTInductorModelContainerSetUseStreamAffinity(void *container, bool use) {
  return container == NULL || use;
}
#endif

int32_t AOTInductorModelContainerDelete(void *container) { return container == NULL; }

int32_t AOTInductorModelContainerRun(void *container, void **inputs, size_t input_count, void **outputs,
                                     size_t output_count, void *stream, void *executor) {
  (void)container, (void)stream, (void)executor;
  outputs[0] = inputs[0];
#ifdef PT2_FAILS
  outputs[0] = NULL;
  return 1;
#endif
  return input_count != 1 || output_count != 1;
}

int32_t AOTInductorModelContainerGetNumInputs(void *container, size_t *out) {
  return container ? counted(out, 1) : 1;
}

int32_t AOTInductorModelContainerGetNumOutputs(void *container, size_t *out) {
  return container ? counted(out, 1) : 1;
}

int32_t AOTInductorModelContainerGetNumConstants(void *container, size_t *out) {
  return container ? counted(out, 0) : 1;
}

int32_t AOTInductorModelContainerGetInputName(void *container, size_t index, const char **out) {
  *out = "arg0_1";
  return container == NULL || index != 0;
}

int32_t AOTInductorModelContainerGetCallSpec(void *container, const char **in_spec, const char **out_spec) {
  *in_spec = "[1, " TUPLE TUPLE LEAF "]}, " DICT "]}]";
  *out_spec = "[1, " LEAF "]";
  return container == NULL;
}

int32_t AOTInductorModelContainerRunConstantFolding(void *container, bool other, void *stream,
                                                    void *executor) {
  (void)other, (void)stream, (void)executor;
  return container == NULL;
}

int32_t AOTInductorModelContainerExtractConstantsMap(void *container, void *map, bool other) {
  (void)other;
  return container == NULL || map == NULL;
}

/* It has no constants. */
int32_t AOTInductorModelContainerGetConstantFromFolded(void) { return 1; }
int32_t AOTInductorModelContainerGetConstantOriginalFQN(void) { return 1; }
int32_t AOTInductorModelContainerGetConstantType(void) { return 1; }
