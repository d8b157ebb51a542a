/// Shows the three parts of an error: its code, its message and the input that caused it.
///
///     errors mini_resnet.pt2

#include <functional>
#include <iostream>
#include <pt2.hpp>

static void show(const char *action, const std::function<void()> &call) {
  try {
    call();
    std::cout << action << ": no error\n";
  } catch (const pt2::Error &error) {
    std::cout << action << ": code " << static_cast<int>(error.code());
    if (!error.input().empty()) std::cout << ", input " << error.input();
    std::cout << ": " << error.what() << '\n';
  }
}

static void run(const std::string &archive) {
  const pt2::Model model = pt2::Model::load(archive);
  const auto image = pt2::Tensor::from(std::vector<float>(3 * 16 * 16), {1, 3, 16, 16});

  show("a missing file", [] { pt2::Model::load("missing.pt2"); });
  show("a wrong size", [&] { model.run(image); });
  show("no input", [&] { model.run(); });
  show("an unknown weight", [&] { model.parameter("fc.wieght"); });
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: errors ARCHIVE\n", 2;
  try {
    run(argv[1]);
  } catch (const pt2::Error &error) {
    return std::cerr << "errors: " << error.what() << '\n', 1;
  }
}
