/* Functions of C++'s with arguments and results, and one with a pointer of its own.
 *
 * run: callback
 * expect: the guest prints 7
 * expect: 7 + 42 = 49
 * expect: the pointer is given back */

#include "example.hh"

using wasm::ValKind;

static auto print(const wasm::vec<wasm::Val>& args, wasm::vec<wasm::Val>& results)
    -> wasm::own<wasm::Trap> {
  std::cout << "the guest prints " << args[0].i32() << std::endl;
  results[0] = args[0].copy();
  return nullptr;
}

static auto closure(void* env, const wasm::vec<wasm::Val>&, wasm::vec<wasm::Val>& results)
    -> wasm::own<wasm::Trap> {
  results[0] = wasm::Val::i32(*static_cast<int*>(env));
  return nullptr;
}

static void finalize(void*) { std::cout << "the pointer is given back" << std::endl; }

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto print_type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(ValKind::I32)),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(ValKind::I32)));
  auto print_func = wasm::Func::make(store.get(), print_type.get(), print);
  int i = 42;
  auto closure_type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(ValKind::I32)));
  auto closure_func =
      wasm::Func::make(store.get(), closure_type.get(), closure, &i, finalize);
  auto instance = instantiate(
      store.get(),
      "(module"
      "  (import \"\" \"print\" (func $print (param i32) (result i32)))"
      "  (import \"\" \"closure\" (func $closure (result i32)))"
      "  (func (export \"run\") (param i32 i32) (result i32)"
      "    (i32.add (call $print (i32.add (local.get 0) (local.get 1))) (call $closure))))",
      print_func.get(), closure_func.get());
  auto exports = instance->exports();
  const int32_t sum = call(func_at(exports, 0), 3, 4).i32();
  std::cout << "7 + 42 = " << sum << std::endl;
}
