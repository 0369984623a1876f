/* A table of functions, changed and called from both sides.
 *
 * run: table
 * expect: of 2 elements, 1 is not null
 * expect: the guest's function gives 10
 * expect: the host's function gives -5
 * expect: of 5 elements, 2 are not null
 * expect: it does not grow beyond its maximum */

#include "example.hh"

static auto negate(const wasm::vec<wasm::Val>& args, wasm::vec<wasm::Val>& results)
    -> wasm::own<wasm::Trap> {
  results[0] = wasm::Val(-args[0].i32());
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto instance = instantiate(
      store.get(),
      "(module (type $t (func (param i32) (result i32)))"
      "  (table (export \"table\") 2 6 funcref) (elem (i32.const 1) $double)"
      "  (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))"
      "  (func (export \"call\") (param i32 i32) (result i32)"
      "    (call_indirect (type $t) (local.get 0) (local.get 1))))");
  auto exports = instance->exports();
  wasm::Table* table = exports[0]->table();
  auto count = [&] {
    int filled = 0;
    for (wasm::Table::size_t i = 0; i < table->size(); ++i) filled += table->get(i) != nullptr;
    std::cout << "of " << table->size() << " elements, " << filled
              << (filled == 1 ? " is" : " are") << " not null" << std::endl;
  };
  count();
  std::cout << "the guest's function gives " << call(func_at(exports, 1), 5, 1).i32()
            << std::endl;
  auto type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::I32)),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::I32)));
  auto func = wasm::Func::make(store.get(), type.get(), negate);
  check(table->set(0, func.get()), "the table has no such element");
  check(table->get(0)->same(func.get()), "the element is another function");
  std::cout << "the host's function gives " << call(func_at(exports, 1), 5, 0).i32()
            << std::endl;
  check(table->grow(3), "the table does not grow");
  count();
  check(!table->grow(2, func.get()), "the table grows beyond its maximum");
  std::cout << "it does not grow beyond its maximum" << std::endl;
}
