/* Pointers of the host's that are attached to things, and given back when these are gone.
 *
 * run: finalize
 * expect: 100 instances live
 * expect: 0 instances live */

#include "example.hh"

static int live = 0;

static void finalize(void* data) {
  delete static_cast<int*>(data);
  --live;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto module = compile(store.get(), "(module (func (export \"f\")))");
  auto imports = wasm::vec<wasm::Extern*>::make();
  for (int i = 0; i < 100; ++i) {
    auto instance = wasm::Instance::make(store.get(), module.get(), imports);
    check(bool(instance), "the module cannot be instantiated");
    instance->set_host_info(new int(i), finalize);
    ++live;
    check(*static_cast<int*>(instance->copy()->get_host_info()) == i, "the pointer is lost");
  }
  std::cout << live << " instances live" << std::endl;
  module.reset();
  store.reset();
  std::cout << live << " instances live" << std::endl;
}
