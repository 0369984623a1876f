/* Globals of the host's and the guest's, seen and changed from both sides.
 *
 * run: global
 * expect: the host's is 1, then 2, then 3
 * expect: the guest's is 10, then 11, then 12
 * expect: the type of the guest's is var i64 */

#include "example.hh"

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto type = wasm::GlobalType::make(
      wasm::ValType::make(wasm::ValKind::I64), wasm::Mutability::VAR);
  auto host = wasm::Global::make(store.get(), type.get(), wasm::Val::i64(1));
  auto instance = instantiate(
      store.get(),
      "(module (global $host (import \"\" \"\") (mut i64))"
      "  (global $guest (export \"guest\") (mut i64) (i64.const 10))"
      "  (func (export \"add\") (param i64)"
      "    (global.set $host (i64.add (global.get $host) (local.get 0)))"
      "    (global.set $guest (i64.add (global.get $guest) (local.get 0)))))",
      host.get());
  auto exports = instance->exports();
  wasm::Global* guest = exports[0]->global();
  wasm::Global* globals[] = {host.get(), guest};
  const char* names[] = {"the host's is ", "the guest's is "};
  int64_t seen[2][3];
  for (int i = 0; i < 2; ++i) seen[i][0] = globals[i]->get().i64();
  call(func_at(exports, 1), int64_t(1));
  for (int i = 0; i < 2; ++i) {
    seen[i][1] = globals[i]->get().i64();
    globals[i]->set(wasm::Val::i64(seen[i][1] + 1));
    seen[i][2] = globals[i]->get().get<int64_t>();
    std::cout << names[i] << seen[i][0] << ", then " << seen[i][1] << ", then " << seen[i][2]
              << std::endl;
  }
  auto guest_type = guest->type();
  check(guest_type->mutability() == wasm::Mutability::VAR, "the global is constant");
  check(guest_type->content()->kind() == wasm::ValKind::I64, "the global is no i64");
  std::cout << "the type of the guest's is var i64" << std::endl;
}
