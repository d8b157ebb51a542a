/// Passes a DLPack tensor in and takes a DLPack tensor out. Neither copies.
///
///     dlpack_exchange mini_resnet.pt2
///
/// The struct below is that of dlpack/dlpack.h, version 1; include that header where it is installed.

#include <cstdint>
#include <iostream>
#include <pt2.hpp>

struct DLManagedTensorVersioned {
  struct {
    std::uint32_t major, minor;
  } version;
  void *manager_ctx;
  void (*deleter)(DLManagedTensorVersioned *self);
  std::uint64_t flags;
  struct {
    void *data;
    struct {
      std::int32_t type, id;
    } device;
    std::int32_t ndim;
    struct {
      std::uint8_t code, bits;
      std::uint16_t lanes;
    } dtype;
    std::int64_t *shape, *strides;
    std::uint64_t byte_offset;
  } dl_tensor;
};

/// Image with the DLPack tensor over it.
struct Image {
  std::vector<float> pixels = std::vector<float>(3 * 32 * 32, 0.5f);
  std::int64_t shape[4] = {1, 3, 32, 32};
  DLManagedTensorVersioned managed = {};
};

static DLManagedTensorVersioned *export_image() {
  auto *image = new Image;
  image->managed.version = {1, 0};
  image->managed.manager_ctx = image;
  image->managed.deleter = [](DLManagedTensorVersioned *self) {
    delete static_cast<Image *>(self->manager_ctx);
  };
  image->managed.dl_tensor.data = image->pixels.data();
  image->managed.dl_tensor.device = {1, 0};  // kDLCPU
  image->managed.dl_tensor.ndim = 4;
  image->managed.dl_tensor.dtype = {2, 32, 1};  // kDLFloat, 32 bits, one lane
  image->managed.dl_tensor.shape = image->shape;
  return &image->managed;
}

static void run(const std::string &archive) {
  const pt2::Model model = pt2::Model::load(archive);
  // From here on libpt2 owns the image: it calls the deleter when the last tensor on the memory is freed.
  const pt2::Tensor input = pt2::Tensor::from_dlpack(export_image());
  const pt2::Tensor output = model.run(input).at(0).to_host();

  DLManagedTensorVersioned *logits = output.to_dlpack();
  const auto *values = static_cast<const float *>(logits->dl_tensor.data);
  std::cout << logits->dl_tensor.ndim << " dimensions, first logit: " << values[0] << '\n';
  logits->deleter(logits);
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: dlpack_exchange ARCHIVE\n", 2;
  try {
    run(argv[1]);
  } catch (const pt2::Error &error) {
    return std::cerr << "dlpack_exchange: " << error.what() << '\n', 1;
  }
}
