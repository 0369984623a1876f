/* Objects of the host's that the guest keeps: in a global, a table, and on its way through.
 *
 * run: hostref
 * expect: the same comes back from a global, a table and a call
 * expect: at first all were null */

#include "example.hh"

static auto identity(const wasm::vec<wasm::Val>& args, wasm::vec<wasm::Val>& results)
    -> wasm::own<wasm::Trap> {
  results[0] = args[0].copy();
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::EXTERNREF)),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::EXTERNREF)));
  auto func = wasm::Func::make(store.get(), type.get(), identity);
  auto instance = instantiate(
      store.get(),
      "(module (import \"\" \"\" (func $f (param externref) (result externref)))"
      "  (global (export \"global\") (mut externref) (ref.null extern))"
      "  (table (export \"table\") 10 externref)"
      "  (func (export \"call\") (param externref) (result externref)"
      "    (call $f (local.get 0))))",
      func.get());
  auto exports = instance->exports();
  wasm::Global* global = exports[0]->global();
  wasm::Table* table = exports[1]->table();
  const bool null = !global->get().ref() && !table->get(3);

  auto foreign = wasm::Foreign::make(store.get());
  global->set(wasm::Val::ref(foreign->copy()));
  check(table->set(3, foreign.get()), "the table has no such element");
  check(global->get().ref()->same(foreign.get()), "the global has another");
  check(table->get(3)->same(foreign.get()), "the table has another");
  auto result = call(func_at(exports, 2), foreign->copy());
  check(result.ref()->same(foreign.get()), "the call gives another");
  check(!call(func_at(exports, 2), wasm::own<wasm::Ref>()).ref(), "null does not come back");
  std::cout << "the same comes back from a global, a table and a call" << std::endl;
  if (null) std::cout << "at first all were null" << std::endl;
}
