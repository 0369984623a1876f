/* A module that is kept as bytes and loaded again.
 *
 * run: serialize
 * expect: the guest calls
 * expect: other bytes are no module */

#include "example.hh"

static auto hello(const wasm::vec<wasm::Val>&, wasm::vec<wasm::Val>&)
    -> wasm::own<wasm::Trap> {
  std::cout << "the guest calls" << std::endl;
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto bytes = compile(
      store.get(), "(module (import \"\" \"\" (func $f)) (func (export \"run\") (call $f)))")
      ->serialize();
  check(bool(bytes) && bytes.size() > 0, "the module is not serialized");
  auto module = wasm::Module::deserialize(store.get(), bytes);
  check(bool(module), "the bytes are no module");
  auto type = wasm::FuncType::make();
  auto func = wasm::Func::make(store.get(), type.get(), hello);
  auto imports = wasm::vec<wasm::Extern*>::make(func.get());
  auto instance = wasm::Instance::make(store.get(), module.get(), imports);
  auto exports = instance->exports();
  call(func_at(exports, 0));
  auto other = wasm::vec<byte_t>::make(std::string("something else"));
  check(!wasm::Module::deserialize(store.get(), other), "they are a module");
  std::cout << "other bytes are no module" << std::endl;
}
