/* What the examples share: failing with a reason, and modules given as text. */

#ifndef EXAMPLE_HH
#define EXAMPLE_HH

#include <cstdlib>
#include <iostream>
#include <string>

#include "wasm.hh"
#include "zwasm.h"

/* Ends the program, with the library's reason, unless `ok`. */
inline void check(bool ok, const char* what) {
  if (ok) return;
  const char* reason = zwasm_last_error();
  std::cerr << what << ": " << (reason ? reason : "no reason is known") << std::endl;
  std::exit(1);
}

inline wasm::vec<byte_t> assemble(const char* text) {
  wasm_byte_vec_t binary;
  check(zwasm_wat2wasm(text, &binary), "the text is not a module");
  auto bytes = wasm::vec<byte_t>::make_uninitialized(binary.size);
  std::memcpy(bytes.get(), binary.data, binary.size);
  wasm_byte_vec_delete(&binary);
  return bytes;
}

inline wasm::own<wasm::Module> compile(wasm::Store* store, const char* text) {
  auto module = wasm::Module::make(store, assemble(text));
  check(bool(module), "the module is not valid");
  return module;
}

/* Compiles and instantiates; the module is needed no longer then. */
template <class... Imports>
wasm::own<wasm::Instance> instantiate(
    wasm::Store* store, const char* text, Imports*... imports) {
  auto externs = wasm::vec<wasm::Extern*>::make(imports...);
  auto instance = wasm::Instance::make(store, compile(store, text).get(), externs);
  check(bool(instance), "the module cannot be instantiated");
  return instance;
}

/* A function of an instance, by its place among the exports. */
inline wasm::Func* func_at(wasm::ownvec<wasm::Extern>& exports, size_t index) {
  check(index < exports.size() && exports[index]->func(), "there is no such function");
  return exports[index]->func();
}

/* Calls a function with at most one result. */
template <class... Args>
wasm::Val call(const wasm::Func* func, Args&&... values) {
  auto args = wasm::vec<wasm::Val>::make(wasm::Val::make(std::forward<Args>(values))...);
  auto results = wasm::vec<wasm::Val>::make_uninitialized(func->result_arity());
  auto trap = func->call(args, results);
  check(!trap, "the call trapped");
  return results.size() ? std::move(results[0]) : wasm::Val();
}

#endif
