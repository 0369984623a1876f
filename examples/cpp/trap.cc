/* Traps of the guest's and of the host's, with their frames.
 *
 * run: trap
 * expect: the host has had enough
 * expect: > function 1, its origin
 * expect: unreachable
 * expect: > function 2
 * expect: > function 3 */

#include "example.hh"

static auto fail(void* env, const wasm::vec<wasm::Val>&, wasm::vec<wasm::Val>&)
    -> wasm::own<wasm::Trap> {
  auto message = wasm::Message::make_nt(std::string("the host has had enough"));
  return wasm::Trap::make(static_cast<wasm::Store*>(env), message);
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::I32)));
  auto func = wasm::Func::make(store.get(), type.get(), fail, store.get());
  auto instance = instantiate(
      store.get(),
      "(module (import \"\" \"\" (func $fail (result i32)))"
      "  (func (export \"host\") (result i32) (call $fail))"
      "  (func $inner (result i32) unreachable)"
      "  (func (export \"guest\") (result i32) (i32.add (call $inner) (i32.const 1))))",
      func.get());
  auto exports = instance->exports();
  for (size_t i = 0; i < exports.size(); ++i) {
    auto args = wasm::vec<wasm::Val>::make();
    auto results = wasm::vec<wasm::Val>::make_uninitialized(1);
    auto trap = func_at(exports, i)->call(args, results);
    check(bool(trap), "there is no trap");
    std::cout << trap->message().get() << std::endl;
    auto trace = trap->trace();
    auto origin = trap->origin();
    check(trace.size() && origin->func_index() == trace[0]->func_index(), "no origin");
    for (size_t j = 0; j < trace.size(); ++j) {
      std::cout << "> function " << trace[j]->func_index()
                << (trace.size() == 1 ? ", its origin" : "") << std::endl;
    }
  }
}
