/// Queues copy, run and read-back on a CUDA stream of the caller's. Needs the CUDA toolkit.
///
///     cuda_stream mini_resnet.pt2

#include <cuda_runtime.h>

#include <iostream>
#include <pt2.hpp>

static void run(const std::string &archive) {
  pt2::LoadOptions options;
  options.device = "cuda:0";
  const pt2::Model model = pt2::Model::load(archive, options);

  cudaStream_t stream = nullptr;
  if (cudaStreamCreate(&stream) != cudaSuccess) throw std::runtime_error("no stream");
  pt2::RunOptions on_stream;
  on_stream.stream = stream;

  const auto image = pt2::Tensor::from(std::vector<float>(3 * 32 * 32, 0.5f), {1, 3, 32, 32});
  std::vector<pt2::Tensor> inputs;
  inputs.push_back(image.to_device("cuda:0", stream));
  const std::vector<pt2::Tensor> outputs = model.run(inputs, on_stream);  // returns before the GPU is done

  std::vector<float> logits(10);
  cudaMemcpyAsync(logits.data(), outputs.at(0).data(), logits.size() * sizeof(float), cudaMemcpyDeviceToHost,
                  stream);
  cudaStreamSynchronize(stream);
  std::cout << "first logit: " << logits[0] << '\n';
  cudaStreamDestroy(stream);
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: cuda_stream ARCHIVE\n", 2;
  try {
    run(argv[1]);
  } catch (const std::exception &error) {
    return std::cerr << "cuda_stream: " << error.what() << '\n', 1;
  }
}
