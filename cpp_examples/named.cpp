/// Passes inputs and reads outputs by name.
///
///     named tree.pt2
///
/// The names are the paths of the Python call, as `pt2 inspect` prints them.

#include <iostream>
#include <pt2.hpp>

static void run(const std::string &archive) {
  const pt2::Model model = pt2::Model::load(archive);
  for (const pt2::Port &input : model.inputs()) std::cout << "input " << input.name << '\n';

  const auto a = pt2::Tensor::from(std::vector<float>(2 * 6, 1.0f), {2, 6});
  const auto b = pt2::Tensor::from(std::vector<float>(2 * 6, 0.5f), {2, 6});
  const auto bias = pt2::Tensor::from(std::vector<float>(6, 3.0f), {6});

  std::map<std::string, pt2::Tensor> inputs;
  inputs["args[0][0]"] = a.share();
  inputs["args[0][1]"] = b.share();
  inputs["kwargs[\"extra\"][\"bias\"]"] = bias.share();
  const auto outputs = model.run_named(inputs, {"result[\"sum\"]", "result[\"rows\"]"});
  std::cout << "sum[0, 0] = " << outputs.at("result[\"sum\"]").at<float>(0, 0) << '\n';
  std::cout << "rows = " << outputs.at("result[\"rows\"]").at<std::int64_t>() << '\n';
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: named ARCHIVE\n", 2;
  try {
    run(argv[1]);
  } catch (const pt2::Error &error) {
    return std::cerr << "named: " << error.what() << '\n', 1;
  }
}
