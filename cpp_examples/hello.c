/* Loads an archive with one float32 input, runs it on zeros and prints the first output values. */
#include <pt2.h>
#include <stdio.h>
#include <stdlib.h>

static void check(pt2_error *error) {
  if (error == NULL) return;
  fprintf(stderr, "hello: %s\n", pt2_error_message(error));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "usage: hello ARCHIVE\n"), 2;
  pt2_model *model = NULL;
  check(pt2_load(argv[1], NULL, &model));

  pt2_port_info port = {0};
  port.struct_size = sizeof port;
  check(pt2_input_info(model, 0, &port));
  int64_t sizes[64], count = 1; /* libtorch knows no more than 64 dimensions */
  for (size_t d = 0; d < port.rank; ++d) {
    pt2_dimension dimension = {sizeof dimension, 0, NULL, 0, 0};
    check(pt2_input_dimension(model, 0, d, &dimension));
    sizes[d] = dimension.symbol == NULL ? dimension.size : 2;
    count *= sizes[d];
  }
  float *zeros = calloc((size_t)count, sizeof *zeros);
  pt2_tensor *input = NULL, *output = NULL, *host = NULL;
  check(pt2_tensor_from_memory(zeros, PT2_DTYPE_FLOAT32, sizes, NULL, port.rank, "cpu", NULL, NULL, &input));
  check(pt2_run(model, &input, 1, NULL, &output, 1));
  check(pt2_tensor_to_host(output, &host));
  const float *numbers = pt2_tensor_data(host);
  printf("%s on %s: %g %g %g\n", port.name, pt2_model_device(model), numbers[0], numbers[1], numbers[2]);

  pt2_tensor_free(host);
  pt2_tensor_free(output);
  pt2_tensor_free(input);
  pt2_free(model);
  free(zeros);
  return 0;
}
