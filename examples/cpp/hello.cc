/* A module that calls a function of the host's.
 *
 * run: hello
 * expect: the guest calls
 * expect: done */

#include "example.hh"

static auto hello(const wasm::vec<wasm::Val>&, wasm::vec<wasm::Val>&) -> wasm::own<wasm::Trap> {
  std::cout << "the guest calls" << std::endl;
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto type = wasm::FuncType::make();
  auto func = wasm::Func::make(store.get(), type.get(), hello);
  auto instance = instantiate(
      store.get(), "(module (import \"\" \"\" (func $f)) (func (export \"run\") (call $f)))",
      func.get());
  auto exports = instance->exports();
  call(func_at(exports, 0));
  std::cout << "done" << std::endl;
}
