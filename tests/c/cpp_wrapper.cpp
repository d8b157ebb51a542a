// pt2.hpp: its additions to pt2.h. The handles themselves are tested in C.

#include <pt2.hpp>

#include "check.h"

namespace {

template <class Body>
void throws(pt2::ErrorCode code, const std::string &words, Body body) {
  try {
    body();
  } catch (const pt2::Error &error) {
    CHECK(error.code() == code && std::string(error.what()).find(words) != std::string::npos);
    return;
  }
  CHECK(!"nothing was thrown");
}

void tensors() {
  const pt2::Tensor owned = pt2::Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(owned.sizes() == (std::vector<std::int64_t>{2, 3}) && owned.strides()[0] == 3);
  CHECK(owned.at<float>(1, 2) == 6 && owned.values<float>()[3] == 4 && owned.element_count() == 6);
  throws(pt2::ErrorCode::Argument, "outside", [&] { owned.at<float>(2, 0); });
  throws(pt2::ErrorCode::Argument, "one index", [&] { owned.at<float>(1); });
  throws(pt2::ErrorCode::Argument, "dtype", [&] { owned.data<double>(); });
  throws(pt2::ErrorCode::Argument, "6 elements", [] { pt2::Tensor::from(std::vector<int>{1}, {2, 3}); });
  throws(pt2::ErrorCode::Argument, "negative", [] { pt2::Tensor::from(std::vector<int>{1}, {-1}); });

  std::int64_t numbers[] = {1, 2, 3, 4};
  const pt2::Tensor turned = pt2::Tensor::borrow(numbers, pt2::Dtype::Int64, {2, 2}, {1, 2});
  CHECK(turned.values<std::int64_t>() == (std::vector<std::int64_t>{1, 3, 2, 4}));
  CHECK(turned.share().data() == numbers);
  throws(pt2::ErrorCode::Argument, "strides",
         [&] { pt2::Tensor::borrow(numbers, pt2::Dtype::Int64, {2, 2}, {1}); });

  CHECK(pt2::Tensor::scalar(true).dtype() == pt2::Dtype::Bool);
  CHECK(pt2::Tensor::scalar(3).at<std::int64_t>() == 3 && pt2::Tensor::scalar(0.5f).at<double>() == 0.5);

  pt2::Tensor moved = pt2::Tensor::scalar(1), target = std::move(moved);
  CHECK(!moved && target && moved.sizes().empty() && moved.device().empty() && moved.element_count() == 1);
  const pt2::Tensor back = pt2::Tensor::from_dlpack(target.to_dlpack());
  CHECK(back.at<std::int64_t>() == 1);
}

void models() {
  throws(pt2::ErrorCode::Io, "missing", [] { pt2::Model::load("/missing.pt2"); });
  const pt2::Model model = pt2::Model::load(archive("2.15.0/mutation.pt2"), {"cpu"});
  CHECK(model.device() == "cpu" && model.name() == "model" && model.mutates());
  const std::vector<pt2::Port> inputs = model.inputs();
  CHECK(inputs.size() == 1 && inputs[0].name == "args[0]" && inputs[0].dimensions.size() == 2);
  CHECK(inputs[0].dimensions[0].max == 512 && inputs[0].dimensions[1].size == 3);
  const pt2::Tensor row = pt2::Tensor::from(std::vector<float>{1, 2, 3}, {1, 3});
  CHECK(model.run(row)[0].at<float>(0, 2) == 9);
  throws(pt2::ErrorCode::Input, "takes 1 inputs, got 0", [&] { model.run(); });
  std::map<std::string, pt2::Tensor> named;
  named["INPUT__0"] = pt2::Tensor::from(std::vector<float>{0, 0, 0}, {1, 3});
  CHECK(model.run_named(named).size() == 1 && model.input_index("ARGS[0]") == 0 &&
        model.output_index("OUTPUT__0") == 0);
  throws(pt2::ErrorCode::Argument, "none of the inputs", [&] { model.input_index("mask"); });
  throws(pt2::ErrorCode::Archive, "no bytes", [] { pt2::Model::load_from_memory(nullptr, 0); });
}

}  // namespace

int main() {
  CHECK(pt2::version() == pt2_version() && pt2::libtorch_version() == pt2_libtorch_version());
  tensors();
  models();
}
