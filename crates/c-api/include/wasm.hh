/* wasm.hh: the standard API for WebAssembly in C++11, over wasm.h.
 *
 * Names, types and meanings are those of the WebAssembly C++ API, so that programs written
 * for it compile unchanged. There is nothing to link but the library of wasm.h.
 *
 * A pointer to an object of C++ is the pointer to the object of C: the classes have no
 * members and no objects of their own, and are made and ended by functions of C. `own` is
 * the pointer of who has to end an object; what functions take as `own&&` is theirs.
 * Vectors are of C++'s heap. One that the library lends has the layout of C's, which is
 * that of `vec`.
 *
 * What fails gives a null pointer, an invalid vector or false. A function that the guest
 * calls returns: no exception may leave it. */

#ifndef WASM_HH
#define WASM_HH

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "wasm.h"

namespace wasm {

/* ---- Ownership and vectors ------------------------------------------------- */

struct destroyer {
  template <class T>
  void operator()(T* object) const {
    object->destroy();
  }
};

template <class T>
using own = std::unique_ptr<T, destroyer>;

template <class T>
own<T> make_own(T* object) {
  return own<T>(object);
}

/* Elements of a number that does not change, or nothing: an invalid vector. */
template <class T>
class vec {
  static const size_t INVALID = SIZE_MAX;

  size_t size_;
  T* data_;

  explicit vec(size_t size) : size_(size), data_(size ? new (std::nothrow) T[size] : nullptr) {
    if (size && !data_) size_ = INVALID;
  }

  vec(size_t size, T* data) : size_(size), data_(data) {}

 public:
  using elem_type = T;

  vec(vec&& that) noexcept : size_(that.size_), data_(that.release()) {}
  vec(const vec&) = delete;
  vec& operator=(const vec&) = delete;
  ~vec() { delete[] data_; }

  vec& operator=(vec&& that) noexcept {
    reset(that);
    return *this;
  }

  operator bool() const { return size_ != INVALID; }
  size_t size() const { return size_; }
  const T* get() const { return data_; }
  T* get() { return data_; }

  T& operator[](size_t index) {
    assert(index < size_);
    return data_[index];
  }

  const T& operator[](size_t index) const {
    assert(index < size_);
    return data_[index];
  }

  T* release() {
    T* data = data_;
    size_ = INVALID;
    data_ = nullptr;
    return data;
  }

  void reset() { delete[] release(); }

  void reset(vec& that) {
    if (this == &that) return;
    delete[] data_;
    size_ = that.size_;
    data_ = that.release();
  }

  vec copy() const {
    if (!*this) return invalid();
    vec made(size_);
    if (made) {
      for (size_t i = 0; i < size_; ++i) made.data_[i] = data_[i];
    }
    return made;
  }

  /* Of what is owned. */
  vec deep_copy() const {
    if (!*this) return invalid();
    vec made(size_);
    if (made) {
      for (size_t i = 0; i < size_; ++i) {
        if (data_[i]) made.data_[i] = data_[i]->copy();
      }
    }
    return made;
  }

  static vec make_uninitialized(size_t size = 0) { return vec(size); }

  static vec make(size_t size, T elements[]) {
    vec made(size);
    if (made) {
      for (size_t i = 0; i < size; ++i) made.data_[i] = std::move(elements[i]);
    }
    return made;
  }

  static vec<char> make(std::string text) { return vec<char>::chars(text, text.size()); }

  /* With the NUL. */
  static vec<char> make_nt(std::string text) {
    return vec<char>::chars(text, text.size() + 1);
  }

  static vec make() { return vec(0); }

  template <class... Ts>
  static vec make(Ts&&... elements) {
    T data[] = {T(std::forward<Ts>(elements))...};
    return make(sizeof...(Ts), data);
  }

  static vec adopt(size_t size, T data[]) { return vec(size, data); }
  static vec invalid() { return vec(INVALID, nullptr); }

 private:
  template <class>
  friend class vec;

  static vec chars(const std::string& text, size_t size) {
    vec made(size);
    if (made && size) std::memcpy(made.data_, text.c_str(), size);
    return made;
  }
};

template <class T>
using ownvec = vec<own<T>>;

static_assert(sizeof(vec<own<int>>) == sizeof(wasm_valtype_vec_t), "vectors have C's layout");
static_assert(sizeof(vec<char>) == sizeof(wasm_byte_vec_t), "vectors have C's layout");

/* ---- Attributes of types ------------------------------------------------------ */

enum class Mutability : uint8_t { CONST = WASM_CONST, VAR = WASM_VAR };

struct Limits {
  uint32_t min;
  uint32_t max;

  Limits(uint32_t min, uint32_t max = std::numeric_limits<uint32_t>::max())
      : min(min), max(max) {}
};

enum class ValKind : uint8_t {
  I32 = WASM_I32,
  I64 = WASM_I64,
  F32 = WASM_F32,
  F64 = WASM_F64,
  EXTERNREF = WASM_EXTERNREF,
  ANYREF = WASM_EXTERNREF,
  FUNCREF = WASM_FUNCREF
};

/* Vectors, which are no kind of the standard: ZWASM_V128 of zwasm.h, which has functions for
 * such values. */
constexpr ValKind V128 = ValKind(4);

inline bool is_num(ValKind kind) { return kind < ValKind::EXTERNREF; }
inline bool is_ref(ValKind kind) { return kind >= ValKind::EXTERNREF; }

enum class ExternKind : uint8_t {
  FUNC = WASM_EXTERN_FUNC,
  GLOBAL = WASM_EXTERN_GLOBAL,
  TABLE = WASM_EXTERN_TABLE,
  MEMORY = WASM_EXTERN_MEMORY,
  TAG = WASM_EXTERN_TAG
};

/* ---- Classes ------------------------------------------------------------------- */

/* What every class has: no objects of its own, and an end. */
#define WASM_HH_CLASS(name)     \
  friend struct destroyer;      \
  void destroy();               \
                                \
 protected:                     \
  name() = default;             \
  ~name() = default;            \
                                \
 public:                        \
  name(const name&) = delete;   \
  name& operator=(const name&) = delete;

class Config {
  WASM_HH_CLASS(Config)
  static own<Config> make();
};

class Engine {
  WASM_HH_CLASS(Engine)
  static own<Engine> make(own<Config>&& = Config::make());
};

class Store {
  WASM_HH_CLASS(Store)
  static own<Store> make(Engine*);
};

class ValType {
  WASM_HH_CLASS(ValType)
  static own<ValType> make(ValKind);
  own<ValType> copy() const;

  ValKind kind() const;
  bool is_num() const { return wasm::is_num(kind()); }
  bool is_ref() const { return wasm::is_ref(kind()); }
};

class FuncType;
class GlobalType;
class TableType;
class MemoryType;
class TagType;

/* The casts borrow, and give null if it is of another kind. */
class ExternType {
  WASM_HH_CLASS(ExternType)
  own<ExternType> copy() const;
  ExternKind kind() const;

  FuncType* func();
  GlobalType* global();
  TableType* table();
  MemoryType* memory();
  TagType* tag();
  const FuncType* func() const;
  const GlobalType* global() const;
  const TableType* table() const;
  const MemoryType* memory() const;
  const TagType* tag() const;
};

class FuncType : public ExternType {
  WASM_HH_CLASS(FuncType)
  static own<FuncType> make(ownvec<ValType>&& params = ownvec<ValType>::make(),
                            ownvec<ValType>&& results = ownvec<ValType>::make());
  own<FuncType> copy() const;

  const ownvec<ValType>& params() const;
  const ownvec<ValType>& results() const;
};

class GlobalType : public ExternType {
  WASM_HH_CLASS(GlobalType)
  static own<GlobalType> make(own<ValType>&&, Mutability);
  own<GlobalType> copy() const;

  const ValType* content() const;
  Mutability mutability() const;
};

class TableType : public ExternType {
  WASM_HH_CLASS(TableType)
  static own<TableType> make(own<ValType>&&, Limits);
  own<TableType> copy() const;

  const ValType* element() const;
  const Limits& limits() const;
};

class MemoryType : public ExternType {
  WASM_HH_CLASS(MemoryType)
  static own<MemoryType> make(Limits);
  own<MemoryType> copy() const;

  const Limits& limits() const;
};

class TagType : public ExternType {
  WASM_HH_CLASS(TagType)
  static own<TagType> make(own<FuncType>&&);
  own<TagType> copy() const;

  const FuncType* functype() const;
};

using Name = vec<byte_t>;

class ImportType {
  WASM_HH_CLASS(ImportType)
  static own<ImportType> make(Name&& module, Name&& name, own<ExternType>&&);
  own<ImportType> copy() const;

  const Name& module() const;
  const Name& name() const;
  const ExternType* type() const;
};

class ExportType {
  WASM_HH_CLASS(ExportType)
  static own<ExportType> make(Name&&, own<ExternType>&&);
  own<ExportType> copy() const;

  const Name& name() const;
  const ExternType* type() const;
};

/* Host information belongs to what is referred to; see wasm.h. */
class Ref {
  WASM_HH_CLASS(Ref)
  own<Ref> copy() const;
  bool same(const Ref*) const;

  void* get_host_info() const;
  void set_host_info(void* info, void (*finalizer)(void*) = nullptr);
};

/* A value, which owns the reference in it. It has the layout of C's. */
class Val {
  ValKind kind_;
  union Of {
    int32_t i32;
    int64_t i64;
    float32_t f32;
    float64_t f64;
    Ref* ref;
  } of_;

  /* Whether it holds a pointer that is its own. */
  bool owns() const { return is_ref() || kind_ == V128; }

 public:
  Val() : kind_(ValKind::EXTERNREF) { of_.ref = nullptr; }
  explicit Val(int32_t value) : kind_(ValKind::I32) { of_.i32 = value; }
  explicit Val(int64_t value) : kind_(ValKind::I64) { of_.i64 = value; }
  explicit Val(float32_t value) : kind_(ValKind::F32) { of_.f32 = value; }
  explicit Val(float64_t value) : kind_(ValKind::F64) { of_.f64 = value; }
  explicit Val(own<Ref>&& value) : kind_(ValKind::EXTERNREF) { of_.ref = value.release(); }

  Val(Val&& that) noexcept : kind_(that.kind_), of_(that.of_) {
    if (owns()) that.of_.ref = nullptr;
  }

  Val& operator=(Val&& that) noexcept {
    reset(that);
    return *this;
  }

  ~Val() { reset(); }

  static Val i32(int32_t value) { return Val(value); }
  static Val i64(int64_t value) { return Val(value); }
  static Val f32(float32_t value) { return Val(value); }
  static Val f64(float64_t value) { return Val(value); }
  static Val ref(own<Ref>&& value) { return Val(std::move(value)); }
  template <class T>
  static Val make(T value);
  template <class T>
  static Val make(own<T>&& value) {
    return Val(own<Ref>(value.release()));
  }

  void reset() {
    if (!owns() || !of_.ref) return;
    ValKind kind = kind_;
    wasm_val_delete(reinterpret_cast<wasm_val_t*>(this));
    kind_ = kind;
    of_.ref = nullptr;
  }

  void reset(Val& that) {
    if (this == &that) return;
    reset();
    kind_ = that.kind_;
    of_ = that.of_;
    if (owns()) that.of_.ref = nullptr;
  }

  ValKind kind() const { return kind_; }
  bool is_num() const { return wasm::is_num(kind_); }
  bool is_ref() const { return wasm::is_ref(kind_); }

  int32_t i32() const { return assert(kind_ == ValKind::I32), of_.i32; }
  int64_t i64() const { return assert(kind_ == ValKind::I64), of_.i64; }
  float32_t f32() const { return assert(kind_ == ValKind::F32), of_.f32; }
  float64_t f64() const { return assert(kind_ == ValKind::F64), of_.f64; }
  Ref* ref() const { return assert(is_ref()), of_.ref; }
  template <class T>
  T get() const;

  own<Ref> release_ref() {
    assert(is_ref());
    Ref* ref = of_.ref;
    of_.ref = nullptr;
    return own<Ref>(ref);
  }

  Val copy() const {
    Val made;
    wasm_val_copy(reinterpret_cast<wasm_val_t*>(&made),
                  reinterpret_cast<const wasm_val_t*>(this));
    return made;
  }
};

static_assert(sizeof(Val) == sizeof(wasm_val_t), "values have C's layout");

template <> inline Val Val::make(int32_t value) { return Val(value); }
template <> inline Val Val::make(int64_t value) { return Val(value); }
template <> inline Val Val::make(float32_t value) { return Val(value); }
template <> inline Val Val::make(float64_t value) { return Val(value); }
template <> inline Val Val::make(uint32_t value) { return Val(int32_t(value)); }
template <> inline Val Val::make(uint64_t value) { return Val(int64_t(value)); }

template <> inline int32_t Val::get() const { return i32(); }
template <> inline int64_t Val::get() const { return i64(); }
template <> inline float32_t Val::get() const { return f32(); }
template <> inline float64_t Val::get() const { return f64(); }
template <> inline uint32_t Val::get() const { return uint32_t(i32()); }
template <> inline uint64_t Val::get() const { return uint64_t(i64()); }
template <> inline Ref* Val::get() const { return ref(); }

/* With a NUL at its end. */
using Message = vec<byte_t>;

class Instance;

class Frame {
  WASM_HH_CLASS(Frame)
  own<Frame> copy() const;

  Instance* instance() const;
  uint32_t func_index() const;
  size_t func_offset() const;
  size_t module_offset() const;
};

class Trap : public Ref {
  WASM_HH_CLASS(Trap)
  static own<Trap> make(Store*, const Message&);
  own<Trap> copy() const;

  Message message() const;
  /* The innermost frame; null if the guest was not running. */
  own<Frame> origin() const;
  /* All frames, innermost first. */
  ownvec<Frame> trace() const;
};

template <class T>
class Shared;

class Module : public Ref {
  WASM_HH_CLASS(Module)
  static bool validate(Store*, const vec<byte_t>& binary);
  static own<Module> make(Store*, const vec<byte_t>& binary);
  own<Module> copy() const;

  ownvec<ImportType> imports() const;
  ownvec<ExportType> exports() const;

  own<Shared<Module>> share() const;
  static own<Module> obtain(Store*, const Shared<Module>*);

  vec<byte_t> serialize() const;
  static own<Module> deserialize(Store*, const vec<byte_t>&);
};

/* A module for any store of the engine, on any thread. */
template <>
class Shared<Module> {
  friend struct destroyer;
  void destroy();

 protected:
  Shared() = default;
  ~Shared() = default;
};

class Foreign : public Ref {
  WASM_HH_CLASS(Foreign)
  static own<Foreign> make(Store*);
  own<Foreign> copy() const;
};

class Func;
class Global;
class Table;
class Memory;

/* The casts borrow, and give null if it is of another kind. */
class Extern : public Ref {
  WASM_HH_CLASS(Extern)
  own<Extern> copy() const;
  ExternKind kind() const;
  own<ExternType> type() const;

  Func* func();
  Global* global();
  Table* table();
  Memory* memory();
  const Func* func() const;
  const Global* global() const;
  const Table* table() const;
  const Memory* memory() const;
};

class Func : public Extern {
  WASM_HH_CLASS(Func)
  using callback = own<Trap> (*)(const vec<Val>& args, vec<Val>& results);
  using callback_with_env = own<Trap> (*)(void* env, const vec<Val>& args, vec<Val>& results);

  static own<Func> make(Store*, const FuncType*, callback);
  static own<Func> make(Store*, const FuncType*, callback_with_env, void* env,
                        void (*finalizer)(void*) = nullptr);
  own<Func> copy() const;

  own<FuncType> type() const;
  size_t param_arity() const;
  size_t result_arity() const;

  /* Null, and the results are written; or a trap, and they are not. */
  own<Trap> call(const vec<Val>& args, vec<Val>& results) const;
};

class Global : public Extern {
  WASM_HH_CLASS(Global)
  static own<Global> make(Store*, const GlobalType*, const Val&);
  own<Global> copy() const;

  own<GlobalType> type() const;
  Val get() const;
  void set(const Val&);
};

class Table : public Extern {
  WASM_HH_CLASS(Table)
  using size_t = wasm_table_size_t;

  static own<Table> make(Store*, const TableType*, const Ref* init = nullptr);
  own<Table> copy() const;

  own<TableType> type() const;
  own<Ref> get(size_t index) const;
  bool set(size_t index, const Ref*);
  size_t size() const;
  bool grow(size_t delta, const Ref* init = nullptr);
};

class Memory : public Extern {
  WASM_HH_CLASS(Memory)
  using pages_t = wasm_memory_pages_t;
  static const size_t page_size = 0x10000;

  static own<Memory> make(Store*, const MemoryType*);
  own<Memory> copy() const;

  own<MemoryType> type() const;
  /* Good until the memory grows. */
  byte_t* data() const;
  size_t data_size() const;
  pages_t size() const;
  bool grow(pages_t delta);
};

class Instance : public Ref {
  WASM_HH_CLASS(Instance)
  /* If there is no instance, the reason is written where the last parameter points. */
  static own<Instance> make(Store*, const Module*, const vec<Extern*>& imports,
                            own<Trap>* = nullptr);
  own<Instance> copy() const;
  ownvec<Extern> exports() const;
};

#undef WASM_HH_CLASS

/* ---- Between C and C++ ------------------------------------------------------------ */

namespace detail {

#define WASM_HH_SAME(type, name)                                                    \
  inline wasm_##name##_t* c(type* object) {                                         \
    return reinterpret_cast<wasm_##name##_t*>(object);                              \
  }                                                                                 \
  inline const wasm_##name##_t* c(const type* object) {                             \
    return reinterpret_cast<const wasm_##name##_t*>(object);                        \
  }                                                                                 \
  inline type* cpp(wasm_##name##_t* object) { return reinterpret_cast<type*>(object); } \
  inline const type* cpp(const wasm_##name##_t* object) {                           \
    return reinterpret_cast<const type*>(object);                                   \
  }

WASM_HH_SAME(Config, config)
WASM_HH_SAME(Engine, engine)
WASM_HH_SAME(Store, store)
WASM_HH_SAME(ValType, valtype)
WASM_HH_SAME(ExternType, externtype)
WASM_HH_SAME(FuncType, functype)
WASM_HH_SAME(GlobalType, globaltype)
WASM_HH_SAME(TableType, tabletype)
WASM_HH_SAME(MemoryType, memorytype)
WASM_HH_SAME(TagType, tagtype)
WASM_HH_SAME(ImportType, importtype)
WASM_HH_SAME(ExportType, exporttype)
WASM_HH_SAME(Ref, ref)
WASM_HH_SAME(Frame, frame)
WASM_HH_SAME(Trap, trap)
WASM_HH_SAME(Module, module)
WASM_HH_SAME(Shared<Module>, shared_module)
WASM_HH_SAME(Foreign, foreign)
WASM_HH_SAME(Extern, extern)
WASM_HH_SAME(Func, func)
WASM_HH_SAME(Global, global)
WASM_HH_SAME(Table, table)
WASM_HH_SAME(Memory, memory)
WASM_HH_SAME(Instance, instance)
#undef WASM_HH_SAME

/* What C gives away. */
template <class T>
auto take(T* object) -> own<typename std::remove_pointer<decltype(cpp(object))>::type> {
  return make_own(cpp(object));
}

/* Elements that C lends, for as long as it does. */
template <class T, class C>
const vec<T>& lent(const C* elements) {
  return *reinterpret_cast<const vec<T>*>(elements);
}

inline wasm_byte_vec_t bytes(const vec<byte_t>& bytes) {
  return {bytes ? bytes.size() : 0, const_cast<byte_t*>(bytes.get())};
}

inline vec<byte_t> take_bytes(wasm_byte_vec_t* bytes) {
  vec<byte_t> taken = vec<byte_t>::make_uninitialized(bytes->size);
  if (taken && bytes->size) std::memcpy(taken.get(), bytes->data, bytes->size);
  wasm_byte_vec_delete(bytes);
  return taken;
}

inline wasm_val_vec_t vals(const vec<Val>& vals) {
  return {vals ? vals.size() : 0, reinterpret_cast<wasm_val_t*>(const_cast<Val*>(vals.get()))};
}

/* Owned elements: those of a vector of C's, and a vector of C's. */
#define WASM_HH_VECTORS(type, name)                                   \
  inline ownvec<type> take_vec(wasm_##name##_vec_t* from) {           \
    ownvec<type> taken = ownvec<type>::make_uninitialized(from->size); \
    for (size_t i = 0; taken && i < from->size; ++i) {                \
      taken[i] = take(from->data[i]);                                 \
      from->data[i] = nullptr;                                        \
    }                                                                 \
    wasm_##name##_vec_delete(from);                                   \
    return taken;                                                     \
  }

WASM_HH_VECTORS(ImportType, importtype)
WASM_HH_VECTORS(ExportType, exporttype)
WASM_HH_VECTORS(Frame, frame)
WASM_HH_VECTORS(Extern, extern)
#undef WASM_HH_VECTORS

inline wasm_valtype_vec_t give(ownvec<ValType>&& types) {
  wasm_valtype_vec_t given;
  wasm_valtype_vec_new_uninitialized(&given, types ? types.size() : 0);
  for (size_t i = 0; i < given.size; ++i) given.data[i] = c(types[i].release());
  return given;
}

/* A function of C++'s, as one of C's. */
struct Function {
  Func::callback plain;
  Func::callback_with_env with_env;
  void* env;
  void (*finalizer)(void*);

  static wasm_trap_t* call(void* self, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
    const Function& function = *static_cast<Function*>(self);
    const vec<Val>& in = lent<Val>(args);
    vec<Val>& out = const_cast<vec<Val>&>(lent<Val>(results));
    own<Trap> trap =
        function.plain ? function.plain(in, out) : function.with_env(function.env, in, out);
    return c(trap.release());
  }

  static void end(void* self) {
    std::unique_ptr<Function> function(static_cast<Function*>(self));
    if (function->finalizer) function->finalizer(function->env);
  }

  static own<Func> make(Store* store, const FuncType* type, const Function& function) {
    Function* self = new (std::nothrow) Function(function);
    if (!self) return own<Func>();
    return take(wasm_func_new_with_env(c(store), c(type), call, self, end));
  }
};

}  // namespace detail

/* ---- What the classes do ------------------------------------------------------------- */

#define WASM_HH_DESTROY(type, name) \
  inline void type::destroy() { wasm_##name##_delete(detail::c(this)); }
#define WASM_HH_COPY(type, name)                 \
  WASM_HH_DESTROY(type, name)                    \
  inline own<type> type::copy() const {          \
    return detail::take(wasm_##name##_copy(detail::c(this))); \
  }

WASM_HH_DESTROY(Config, config)
WASM_HH_DESTROY(Engine, engine)
WASM_HH_DESTROY(Store, store)
WASM_HH_COPY(ValType, valtype)
WASM_HH_COPY(ExternType, externtype)
WASM_HH_COPY(FuncType, functype)
WASM_HH_COPY(GlobalType, globaltype)
WASM_HH_COPY(TableType, tabletype)
WASM_HH_COPY(MemoryType, memorytype)
WASM_HH_COPY(TagType, tagtype)
WASM_HH_COPY(ImportType, importtype)
WASM_HH_COPY(ExportType, exporttype)
WASM_HH_COPY(Ref, ref)
WASM_HH_COPY(Frame, frame)
WASM_HH_COPY(Trap, trap)
WASM_HH_COPY(Module, module)
WASM_HH_COPY(Foreign, foreign)
WASM_HH_COPY(Extern, extern)
WASM_HH_COPY(Func, func)
WASM_HH_COPY(Global, global)
WASM_HH_COPY(Table, table)
WASM_HH_COPY(Memory, memory)
WASM_HH_COPY(Instance, instance)
#undef WASM_HH_COPY
#undef WASM_HH_DESTROY

inline void Shared<Module>::destroy() { wasm_shared_module_delete(detail::c(this)); }

#define WASM_HH_CASTS(type, name, to, to_name, method)                          \
  inline to* type::method() { return detail::cpp(wasm_##name##_as_##to_name(detail::c(this))); } \
  inline const to* type::method() const {                                       \
    return detail::cpp(wasm_##name##_as_##to_name##_const(detail::c(this)));    \
  }

WASM_HH_CASTS(ExternType, externtype, FuncType, functype, func)
WASM_HH_CASTS(ExternType, externtype, GlobalType, globaltype, global)
WASM_HH_CASTS(ExternType, externtype, TableType, tabletype, table)
WASM_HH_CASTS(ExternType, externtype, MemoryType, memorytype, memory)
WASM_HH_CASTS(ExternType, externtype, TagType, tagtype, tag)
WASM_HH_CASTS(Extern, extern, Func, func, func)
WASM_HH_CASTS(Extern, extern, Global, global, global)
WASM_HH_CASTS(Extern, extern, Table, table, table)
WASM_HH_CASTS(Extern, extern, Memory, memory, memory)
#undef WASM_HH_CASTS

inline own<Config> Config::make() { return detail::take(wasm_config_new()); }

inline own<Engine> Engine::make(own<Config>&& config) {
  return detail::take(wasm_engine_new_with_config(detail::c(config.release())));
}

inline own<Store> Store::make(Engine* engine) {
  return detail::take(wasm_store_new(detail::c(engine)));
}

inline own<ValType> ValType::make(ValKind kind) {
  return detail::take(wasm_valtype_new(wasm_valkind_t(kind)));
}

inline ValKind ValType::kind() const { return ValKind(wasm_valtype_kind(detail::c(this))); }

inline ExternKind ExternType::kind() const {
  return ExternKind(wasm_externtype_kind(detail::c(this)));
}

inline own<FuncType> FuncType::make(ownvec<ValType>&& params, ownvec<ValType>&& results) {
  wasm_valtype_vec_t in = detail::give(std::move(params));
  wasm_valtype_vec_t out = detail::give(std::move(results));
  return detail::take(wasm_functype_new(&in, &out));
}

inline const ownvec<ValType>& FuncType::params() const {
  return detail::lent<own<ValType>>(wasm_functype_params(detail::c(this)));
}

inline const ownvec<ValType>& FuncType::results() const {
  return detail::lent<own<ValType>>(wasm_functype_results(detail::c(this)));
}

inline own<GlobalType> GlobalType::make(own<ValType>&& content, Mutability mutability) {
  return detail::take(
      wasm_globaltype_new(detail::c(content.release()), wasm_mutability_t(mutability)));
}

inline const ValType* GlobalType::content() const {
  return detail::cpp(wasm_globaltype_content(detail::c(this)));
}

inline Mutability GlobalType::mutability() const {
  return Mutability(wasm_globaltype_mutability(detail::c(this)));
}

inline own<TableType> TableType::make(own<ValType>&& element, Limits limits) {
  wasm_limits_t pair = {limits.min, limits.max};
  return detail::take(wasm_tabletype_new(detail::c(element.release()), &pair));
}

inline const ValType* TableType::element() const {
  return detail::cpp(wasm_tabletype_element(detail::c(this)));
}

inline const Limits& TableType::limits() const {
  return *reinterpret_cast<const Limits*>(wasm_tabletype_limits(detail::c(this)));
}

inline own<MemoryType> MemoryType::make(Limits limits) {
  wasm_limits_t pair = {limits.min, limits.max};
  return detail::take(wasm_memorytype_new(&pair));
}

inline const Limits& MemoryType::limits() const {
  return *reinterpret_cast<const Limits*>(wasm_memorytype_limits(detail::c(this)));
}

inline own<TagType> TagType::make(own<FuncType>&& type) {
  return detail::take(wasm_tagtype_new(detail::c(type.release())));
}

inline const FuncType* TagType::functype() const {
  return detail::cpp(wasm_tagtype_functype(detail::c(this)));
}

inline own<ImportType> ImportType::make(Name&& module, Name&& name, own<ExternType>&& type) {
  wasm_name_t borrowed[] = {detail::bytes(module), detail::bytes(name)}, given[2];
  for (int i = 0; i < 2; ++i) wasm_name_copy(&given[i], &borrowed[i]);
  return detail::take(wasm_importtype_new(&given[0], &given[1], detail::c(type.release())));
}

inline const Name& ImportType::module() const {
  return detail::lent<byte_t>(wasm_importtype_module(detail::c(this)));
}

inline const Name& ImportType::name() const {
  return detail::lent<byte_t>(wasm_importtype_name(detail::c(this)));
}

inline const ExternType* ImportType::type() const {
  return detail::cpp(wasm_importtype_type(detail::c(this)));
}

inline own<ExportType> ExportType::make(Name&& name, own<ExternType>&& type) {
  wasm_name_t borrowed = detail::bytes(name), given;
  wasm_name_copy(&given, &borrowed);
  return detail::take(wasm_exporttype_new(&given, detail::c(type.release())));
}

inline const Name& ExportType::name() const {
  return detail::lent<byte_t>(wasm_exporttype_name(detail::c(this)));
}

inline const ExternType* ExportType::type() const {
  return detail::cpp(wasm_exporttype_type(detail::c(this)));
}

inline bool Ref::same(const Ref* other) const {
  return wasm_ref_same(detail::c(this), detail::c(other));
}

inline void* Ref::get_host_info() const { return wasm_ref_get_host_info(detail::c(this)); }

inline void Ref::set_host_info(void* info, void (*finalizer)(void*)) {
  wasm_ref_set_host_info_with_finalizer(detail::c(this), info, finalizer);
}

inline Instance* Frame::instance() const {
  return detail::cpp(wasm_frame_instance(detail::c(this)));
}

inline uint32_t Frame::func_index() const { return wasm_frame_func_index(detail::c(this)); }
inline size_t Frame::func_offset() const { return wasm_frame_func_offset(detail::c(this)); }
inline size_t Frame::module_offset() const { return wasm_frame_module_offset(detail::c(this)); }

inline own<Trap> Trap::make(Store* store, const Message& message) {
  wasm_message_t borrowed = detail::bytes(message);
  return detail::take(wasm_trap_new(detail::c(store), &borrowed));
}

inline Message Trap::message() const {
  wasm_message_t message;
  wasm_trap_message(detail::c(this), &message);
  return detail::take_bytes(&message);
}

inline own<Frame> Trap::origin() const {
  return detail::take(wasm_trap_origin(detail::c(this)));
}

inline ownvec<Frame> Trap::trace() const {
  wasm_frame_vec_t frames;
  wasm_trap_trace(detail::c(this), &frames);
  return detail::take_vec(&frames);
}

inline bool Module::validate(Store* store, const vec<byte_t>& binary) {
  wasm_byte_vec_t borrowed = detail::bytes(binary);
  return wasm_module_validate(detail::c(store), &borrowed);
}

inline own<Module> Module::make(Store* store, const vec<byte_t>& binary) {
  wasm_byte_vec_t borrowed = detail::bytes(binary);
  return detail::take(wasm_module_new(detail::c(store), &borrowed));
}

inline ownvec<ImportType> Module::imports() const {
  wasm_importtype_vec_t types;
  wasm_module_imports(detail::c(this), &types);
  return detail::take_vec(&types);
}

inline ownvec<ExportType> Module::exports() const {
  wasm_exporttype_vec_t types;
  wasm_module_exports(detail::c(this), &types);
  return detail::take_vec(&types);
}

inline own<Shared<Module>> Module::share() const {
  return detail::take(wasm_module_share(detail::c(this)));
}

inline own<Module> Module::obtain(Store* store, const Shared<Module>* shared) {
  return detail::take(wasm_module_obtain(detail::c(store), detail::c(shared)));
}

inline vec<byte_t> Module::serialize() const {
  wasm_byte_vec_t bytes;
  wasm_module_serialize(detail::c(this), &bytes);
  return detail::take_bytes(&bytes);
}

inline own<Module> Module::deserialize(Store* store, const vec<byte_t>& bytes) {
  wasm_byte_vec_t borrowed = detail::bytes(bytes);
  return detail::take(wasm_module_deserialize(detail::c(store), &borrowed));
}

inline own<Foreign> Foreign::make(Store* store) {
  return detail::take(wasm_foreign_new(detail::c(store)));
}

inline ExternKind Extern::kind() const { return ExternKind(wasm_extern_kind(detail::c(this))); }

inline own<ExternType> Extern::type() const {
  return detail::take(wasm_extern_type(detail::c(this)));
}

inline own<Func> Func::make(Store* store, const FuncType* type, callback function) {
  return detail::Function::make(store, type, {function, nullptr, nullptr, nullptr});
}

inline own<Func> Func::make(
    Store* store, const FuncType* type, callback_with_env function, void* env,
    void (*finalizer)(void*)) {
  return detail::Function::make(store, type, {nullptr, function, env, finalizer});
}

inline own<FuncType> Func::type() const { return detail::take(wasm_func_type(detail::c(this))); }
inline size_t Func::param_arity() const { return wasm_func_param_arity(detail::c(this)); }
inline size_t Func::result_arity() const { return wasm_func_result_arity(detail::c(this)); }

inline own<Trap> Func::call(const vec<Val>& args, vec<Val>& results) const {
  wasm_val_vec_t in = detail::vals(args), out = detail::vals(results);
  vec<Val> old = vec<Val>::make_uninitialized(out.size);
  if (!old) return own<Trap>();
  /* What results held is not looked at by C, and kept if there is a trap. */
  for (size_t i = 0; i < out.size; ++i) old[i] = std::move(results[i]);
  own<Trap> trap = detail::take(wasm_func_call(detail::c(this), &in, &out));
  for (size_t i = 0; trap && i < out.size; ++i) results[i] = std::move(old[i]);
  return trap;
}

inline own<Global> Global::make(Store* store, const GlobalType* type, const Val& value) {
  return detail::take(wasm_global_new(
      detail::c(store), detail::c(type), reinterpret_cast<const wasm_val_t*>(&value)));
}

inline own<GlobalType> Global::type() const {
  return detail::take(wasm_global_type(detail::c(this)));
}

inline Val Global::get() const {
  Val value;
  wasm_global_get(detail::c(this), reinterpret_cast<wasm_val_t*>(&value));
  return value;
}

inline void Global::set(const Val& value) {
  wasm_global_set(detail::c(this), reinterpret_cast<const wasm_val_t*>(&value));
}

inline own<Table> Table::make(Store* store, const TableType* type, const Ref* init) {
  return detail::take(wasm_table_new(
      detail::c(store), detail::c(type), detail::c(const_cast<Ref*>(init))));
}

inline own<TableType> Table::type() const {
  return detail::take(wasm_table_type(detail::c(this)));
}

inline own<Ref> Table::get(size_t index) const {
  return detail::take(wasm_table_get(detail::c(this), index));
}

inline bool Table::set(size_t index, const Ref* value) {
  return wasm_table_set(detail::c(this), index, detail::c(const_cast<Ref*>(value)));
}

inline Table::size_t Table::size() const { return wasm_table_size(detail::c(this)); }

inline bool Table::grow(size_t delta, const Ref* init) {
  return wasm_table_grow(detail::c(this), delta, detail::c(const_cast<Ref*>(init)));
}

inline own<Memory> Memory::make(Store* store, const MemoryType* type) {
  return detail::take(wasm_memory_new(detail::c(store), detail::c(type)));
}

inline own<MemoryType> Memory::type() const {
  return detail::take(wasm_memory_type(detail::c(this)));
}

inline byte_t* Memory::data() const {
  return wasm_memory_data(const_cast<wasm_memory_t*>(detail::c(this)));
}

inline size_t Memory::data_size() const { return wasm_memory_data_size(detail::c(this)); }
inline Memory::pages_t Memory::size() const { return wasm_memory_size(detail::c(this)); }
inline bool Memory::grow(pages_t delta) { return wasm_memory_grow(detail::c(this), delta); }

inline own<Instance> Instance::make(
    Store* store, const Module* module, const vec<Extern*>& imports, own<Trap>* out) {
  wasm_extern_vec_t items = {
      imports ? imports.size() : 0,
      reinterpret_cast<wasm_extern_t**>(const_cast<Extern**>(imports.get()))};
  wasm_trap_t* trap = nullptr;
  own<Instance> instance = detail::take(
      wasm_instance_new(detail::c(store), detail::c(module), &items, &trap));
  own<Trap> reason = detail::take(trap);
  if (out) *out = std::move(reason);
  return instance;
}

inline ownvec<Extern> Instance::exports() const {
  wasm_extern_vec_t items;
  wasm_instance_exports(detail::c(this), &items);
  return detail::take_vec(&items);
}

}  // namespace wasm

#endif  // WASM_HH
