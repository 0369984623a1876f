/* A module that traps where it starts: there is no instance, but a reason.
 *
 * run: start
 * expect: unreachable
 * expect: function 0 */

#include "example.hh"

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto module = compile(store.get(), "(module (func $f unreachable) (start $f))");
  auto imports = wasm::vec<wasm::Extern*>::make();
  wasm::own<wasm::Trap> trap;
  auto instance = wasm::Instance::make(store.get(), module.get(), imports, &trap);
  check(!instance && trap, "the module has been instantiated");
  std::cout << trap->message().get() << std::endl;
  std::cout << "function " << trap->origin()->func_index() << std::endl;
}
