/* A memory of the guest's and one of the host's.
 *
 * run: memory
 * expect: 2 pages of 65536 bytes
 * expect: the guest reads 4 and 9, and traps beyond
 * expect: then there are 3, and no more
 * expect: the host's has 5 */

#include "example.hh"

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto instance = instantiate(
      store.get(),
      "(module (memory (export \"memory\") 2 3) (data (i32.const 0x1000) \"\\01\\02\\03\\04\")"
      "  (func (export \"load\") (param i32) (result i32) (i32.load8_s (local.get 0))))");
  auto exports = instance->exports();
  wasm::Memory* memory = exports[0]->memory();
  std::cout << memory->size() << " pages of " << memory->data_size() / memory->size()
            << " bytes" << std::endl;
  memory->data()[0x1004] = 9;
  wasm::Func* load = func_at(exports, 1);
  std::cout << "the guest reads " << call(load, 0x1003).i32() << " and "
            << call(load, 0x1004).i32() << ", and traps beyond" << std::endl;
  auto args = wasm::vec<wasm::Val>::make(wasm::Val::i32(0x20000));
  auto results = wasm::vec<wasm::Val>::make_uninitialized(1);
  check(bool(load->call(args, results)), "there is no trap");
  check(memory->grow(1) && !memory->grow(1), "the memory does not grow, or too far");
  check(!load->call(args, results), "there is a trap");
  std::cout << "then there are " << memory->size() << ", and no more" << std::endl;
  auto type = wasm::MemoryType::make(wasm::Limits(5, 5));
  auto own = wasm::Memory::make(store.get(), type.get());
  check(own->type()->limits().max == 5 && !own->grow(1), "the memory grows");
  std::cout << "the host's has " << own->size() << std::endl;
}
