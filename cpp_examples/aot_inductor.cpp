/// Runs an AOTInductor package, or the exported program beside the compiled code where that does not fit.
///
///     aot_inductor PACKAGE [SHA-256]
///
/// Loading compiled code executes it, so it needs permission. `pt2 inspect` prints the SHA-256 of the code.

#include <iostream>
#include <pt2.hpp>

static void run(const std::string &package, const std::string &digest) {
  pt2::LoadOptions options;
  options.allow_native_code = true;
  options.native_code_sha256 = digest;
  const pt2::Model model = pt2::Model::load(package, options);

  std::cout << "runs as " << (model.form() == pt2::Form::Compiled ? "compiled code" : "an exported program")
            << " on " << model.device() << '\n';
  for (const std::string &condition : model.unchecked()) std::cout << "not checked: " << condition << '\n';
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) return std::cerr << "usage: aot_inductor PACKAGE [SHA-256]\n", 2;
  try {
    run(argv[1], argc == 3 ? argv[2] : "");
  } catch (const pt2::Error &error) {
    return std::cerr << "aot_inductor: " << error.what() << '\n', 1;
  }
}
