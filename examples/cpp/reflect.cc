/* What a module imports and exports, and of what types.
 *
 * run: reflect
 * expect: import "env" "log": function (i32 f64) -> ()
 * expect: export "func": function (i64) -> (externref)
 * expect: export "global": global var f32
 * expect: export "table": table 0..50 of funcref
 * expect: export "memory": memory 1..
 * expect: the instance has the same types */

#include "example.hh"

static std::string text(const wasm::ValType& type) {
  switch (type.kind()) {
    case wasm::ValKind::I32: return "i32";
    case wasm::ValKind::I64: return "i64";
    case wasm::ValKind::F32: return "f32";
    case wasm::ValKind::F64: return "f64";
    case wasm::ValKind::EXTERNREF: return "externref";
    case wasm::ValKind::FUNCREF: return "funcref";
  }
  return "?";
}

static std::string text(const wasm::ownvec<wasm::ValType>& types) {
  std::string all = "(";
  for (size_t i = 0; i < types.size(); ++i) all += (i ? " " : "") + text(*types[i]);
  return all + ")";
}

static std::string text(const wasm::Limits& limits) {
  const bool has_max = limits.max < wasm_limits_max_default;
  return std::to_string(limits.min) + ".." + (has_max ? std::to_string(limits.max) : "");
}

static std::string text(const wasm::Name& name) {
  return '"' + std::string(name.get(), name.size()) + '"';
}

static std::string text(const wasm::ExternType& type) {
  switch (type.kind()) {
    case wasm::ExternKind::FUNC:
      return "function " + text(type.func()->params()) + " -> " + text(type.func()->results());
    case wasm::ExternKind::GLOBAL: {
      const bool var = type.global()->mutability() == wasm::Mutability::VAR;
      return std::string("global ") + (var ? "var " : "const ") + text(*type.global()->content());
    }
    case wasm::ExternKind::TABLE:
      return "table " + text(type.table()->limits()) + " of " + text(*type.table()->element());
    case wasm::ExternKind::MEMORY: return "memory " + text(type.memory()->limits());
    case wasm::ExternKind::TAG: return "tag " + text(type.tag()->functype()->params());
  }
  return "?";
}

static auto nothing(const wasm::vec<wasm::Val>&, wasm::vec<wasm::Val>&)
    -> wasm::own<wasm::Trap> {
  return nullptr;
}

int main() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  auto module = compile(
      store.get(),
      "(module (import \"env\" \"log\" (func (param i32 f64)))"
      "  (func (export \"func\") (param i64) (result externref) (ref.null extern))"
      "  (global (export \"global\") (mut f32) (f32.const 0))"
      "  (table (export \"table\") 0 50 funcref) (memory (export \"memory\") 1))");
  auto imports = module->imports();
  auto exports = module->exports();
  for (size_t i = 0; i < imports.size(); ++i) {
    std::cout << "import " << text(imports[i]->module()) << " " << text(imports[i]->name())
              << ": " << text(*imports[i]->type()) << std::endl;
  }
  for (size_t i = 0; i < exports.size(); ++i) {
    std::cout << "export " << text(exports[i]->name()) << ": " << text(*exports[i]->type())
              << std::endl;
  }
  auto type = imports[0]->type()->copy();
  auto func = wasm::Func::make(store.get(), type->func(), nothing);
  auto given = wasm::vec<wasm::Extern*>::make(func.get());
  auto instance = wasm::Instance::make(store.get(), module.get(), given);
  auto items = instance->exports();
  for (size_t i = 0; i < items.size(); ++i) {
    check(text(*items[i]->type()) == text(*exports[i]->type()), "the types differ");
  }
  std::cout << "the instance has the same types" << std::endl;
}
