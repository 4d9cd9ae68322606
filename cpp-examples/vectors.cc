// Vectors: values of 128 bits as arguments and results, in both directions. Typed functions take them as `tenon::V128`.

#include <cstring>

#include "example_util.hh"

using Lanes = std::array<float, 4>;

static tenon::V128 vector_of(const Lanes &lanes) {
  tenon::V128 vector;
  std::memcpy(vector.data(), lanes.data(), vector.size());
  return vector;
}

static Lanes lanes_of(const tenon::V128 &vector) {
  Lanes lanes;
  std::memcpy(lanes.data(), vector.data(), vector.size());
  return lanes;
}

static void print(const char *name, const tenon::V128 &vector) {
  std::cout << name << ":";
  for (float lane : lanes_of(vector)) std::cout << " " << lane;
  std::cout << "\n";
}

static void run() {
  tenon::Store store;
  tenon::Module module(store, read_file("vectors.wasm"));
  // Gives back the lanes in reverse.
  auto trace = tenon::make_func(store, [](tenon::V128 vector) {
    print("  the host sees", vector);
    Lanes lanes = lanes_of(vector);
    std::reverse(lanes.begin(), lanes.end());
    return vector_of(lanes);
  });
  tenon::Instance instance(store, module, {trace.get()});
  auto scale = instance.func<tenon::V128(tenon::V128, tenon::V128)>("scale");
  auto scaled = scale(vector_of({1, 2, 3, 4}), vector_of({0.5f, 1, 2, 10}));
  print("scaled, in reverse", scaled);
  std::cout << "their sum: " << instance.func<float(tenon::V128)>("sum")(scaled) << "\n";
}

int main() { return run_example(run); }
