/* Several results, in both directions.
 *
 * run: multi
 * expect: 4 3.5 2 1
 * expect: and back: 1 2 3.5 4 */

#include "example.hh"

using wasm::Val;
using wasm::ValKind;
using wasm::ValType;

static auto reverse(const wasm::vec<Val>& args, wasm::vec<Val>& results)
    -> wasm::own<wasm::Trap> {
  for (size_t i = 0; i < args.size(); ++i) results[args.size() - 1 - i] = args[i].copy();
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto type = wasm::FuncType::make(
      wasm::ownvec<ValType>::make(
          ValType::make(ValKind::I32), ValType::make(ValKind::I64), ValType::make(ValKind::F32),
          ValType::make(ValKind::F64)),
      wasm::ownvec<ValType>::make(
          ValType::make(ValKind::F64), ValType::make(ValKind::F32), ValType::make(ValKind::I64),
          ValType::make(ValKind::I32)));
  auto func = wasm::Func::make(store.get(), type.get(), reverse);
  auto instance = instantiate(
      store.get(),
      "(module (type $t (func (param i32 i64 f32 f64) (result f64 f32 i64 i32)))"
      "  (import \"\" \"\" (func $reverse (type $t)))"
      "  (func (export \"run\") (type $t)"
      "    (call $reverse (local.get 0) (local.get 1) (local.get 2) (local.get 3))))",
      func.get());
  auto exports = instance->exports();
  auto args = wasm::vec<Val>::make(Val::i32(1), Val::i64(2), Val::f32(3.5f), Val::f64(4));
  auto results = wasm::vec<Val>::make_uninitialized(4);
  check(!func_at(exports, 0)->call(args, results), "the call trapped");
  std::cout << results[0].f64() << " " << results[1].f32() << " " << results[2].i64() << " "
            << results[3].i32() << std::endl;
  std::cout << "and back: " << results[3].get<uint32_t>() << " " << results[2].get<uint64_t>()
            << " " << results[1].get<float>() << " " << results[0].get<double>() << std::endl;
}
