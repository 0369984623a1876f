/* One module on many threads: each has a store of its own.
 *
 * run: threads
 * expect: 8 threads ran the module 50 times each
 * expect: the sum is 11400 */

#include <thread>
#include <vector>

#include "example.hh"

static auto add(void* env, const wasm::vec<wasm::Val>& args, wasm::vec<wasm::Val>&)
    -> wasm::own<wasm::Trap> {
  *static_cast<int*>(env) += args[0].i32();
  return nullptr;
}

static void run(
    wasm::Engine* engine, const wasm::Shared<wasm::Module>* shared, int number, int* sum) {
  auto store = wasm::Store::make(engine);
  auto module = wasm::Module::obtain(store.get(), shared);
  check(bool(module), "the module cannot be obtained");
  auto func_type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::I32)));
  auto func = wasm::Func::make(store.get(), func_type.get(), add, sum);
  auto type = wasm::GlobalType::make(
      wasm::ValType::make(wasm::ValKind::I32), wasm::Mutability::CONST);
  auto global = wasm::Global::make(store.get(), type.get(), wasm::Val::i32(number));
  for (int i = 0; i < 50; ++i) {
    auto imports = wasm::vec<wasm::Extern*>::make(func.get(), global.get());
    auto instance = wasm::Instance::make(store.get(), module.get(), imports);
    check(bool(instance), "the module cannot be instantiated");
    auto exports = instance->exports();
    call(func_at(exports, 0));
  }
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto shared = compile(
      store.get(),
      "(module (import \"host\" \"add\" (func $add (param i32)))"
      "  (global $number (import \"host\" \"number\") i32)"
      "  (func (export \"run\") (call $add (i32.add (global.get $number) (i32.const 25)))))")
      ->share();
  int sums[8] = {};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(run, engine.get(), shared.get(), i, &sums[i]);
  int sum = 0;
  for (int i = 0; i < 8; ++i) {
    threads[i].join();
    sum += sums[i];
  }
  std::cout << "8 threads ran the module 50 times each" << std::endl;
  std::cout << "the sum is " << sum << std::endl;
}
