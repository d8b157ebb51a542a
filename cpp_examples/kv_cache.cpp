/// Generates tokens with a model that keeps its keys and values in buffers; one clone for each session.
///
///     kv_cache cache.pt2
///
/// The model takes a token and its position, both int64 [1], and returns the logits of the next token.

#include <algorithm>
#include <iostream>
#include <pt2.hpp>

static std::vector<std::int64_t> generate(const pt2::Model &session, std::int64_t token, std::int64_t steps) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t position = 0; position < steps; ++position) {
    const auto current = pt2::Tensor::from(std::vector<std::int64_t>{token}, {1});
    const auto place = pt2::Tensor::from(std::vector<std::int64_t>{position}, {1});
    const auto logits = session.run(current, place).at(0).values<float>();
    token = std::max_element(logits.begin(), logits.end()) - logits.begin();
    tokens.push_back(token);
  }
  return tokens;
}

static void print(const char *name, const std::vector<std::int64_t> &tokens) {
  std::cout << name;
  for (const std::int64_t token : tokens) std::cout << ' ' << token;
  std::cout << '\n';
}

static int run(const std::string &archive) {
  const pt2::Model first = pt2::Model::load(archive);
  const pt2::Model second = first.clone();  // shares the weights, has a cache of its own

  const auto once = generate(first, 3, 8);
  print("first: ", once);
  print("second:", generate(second, 5, 8));
  first.reset_state();  // the second session keeps its cache
  const auto again = generate(first, 3, 8);
  print("first: ", again);
  return once == again ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: kv_cache ARCHIVE\n", 2;
  try {
    return run(argv[1]);
  } catch (const pt2::Error &error) {
    return std::cerr << "kv_cache: " << error.what() << '\n', 1;
  }
}
