//! Programs that must not compile: each would reach freed memory from safe Rust. Those
//! that may stand beside them, so that the others fail for the reason meant.
//!
//! A store's data borrows from nothing:
//!
//! ```compile_fail,E0597
//! let data = String::new();
//! let store = zwasm::Store::new(&zwasm::Engine::default(), data.as_str());
//! ```
//!
//! ```
//! let store = zwasm::Store::new(&zwasm::Engine::default(), "data");
//! ```
//!
//! A store may not pretend that its data is of a supertype, for a host function of the
//! store would read what was put into it as that. Functions for all lifetimes are functions
//! for one:
//!
//! ```compile_fail,E0308
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other(store: zwasm::Store<Any>) -> zwasm::Store<One> {
//!     store
//! }
//! ```
//!
//! ```
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other(data: Any) -> One {
//!     data
//! }
//! ```
//!
//! Nor may a linker's functions be given to stores of other data, longer or shorter:
//!
//! ```compile_fail
//! fn longer<'a>(linker: zwasm::Linker<&'a str>) -> zwasm::Linker<&'static str> {
//!     linker
//! }
//! ```
//!
//! ```compile_fail
//! fn shorter<'a>(linker: zwasm::Linker<&'static str>) -> zwasm::Linker<&'a str> {
//!     linker
//! }
//! ```
//!
//! ```
//! fn same<'a>(linker: zwasm::Linker<&'a str>) -> zwasm::Linker<&'a str> {
//!     linker
//! }
//! ```
//!
//! Nor functions that are made for many stores:
//!
//! ```compile_fail,E0308
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other(funcs: zwasm::SlotFuncs<Any, ()>) -> zwasm::SlotFuncs<One, ()> {
//!     funcs
//! }
//! ```
//!
//! ```compile_fail,E0308
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other(funcs: zwasm::SlotFuncs<One, ()>) -> zwasm::SlotFuncs<Any, ()> {
//!     funcs
//! }
//! ```
//!
//! ```
//! type Any = for<'a> fn(&'a str);
//! fn same(funcs: zwasm::SlotFuncs<Any, ()>) -> zwasm::SlotFuncs<Any, ()> {
//!     funcs
//! }
//! ```
//!
//! Nor a context or caller, whose data is written through:
//!
//! ```compile_fail,E0308
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other<'s>(context: zwasm::StoreContextMut<'s, Any>) -> zwasm::StoreContextMut<'s, One> {
//!     context
//! }
//! ```
//!
//! ```compile_fail,E0308
//! type Any = for<'a> fn(&'a str);
//! type One = fn(&'static str);
//! fn other<'s>(caller: zwasm::Caller<'s, Any>) -> zwasm::Caller<'s, One> {
//!     caller
//! }
//! ```
//!
//! ```
//! type Any = for<'a> fn(&'a str);
//! fn same<'s>(caller: zwasm::Caller<'s, Any>) -> zwasm::Caller<'s, Any> {
//!     caller
//! }
//! ```
//!
//! The bytes of a memory are borrowed from the store, which cannot run meanwhile:
//!
//! ```compile_fail,E0499
//! fn two(store: &mut zwasm::Store<()>, memory: zwasm::Memory, run: zwasm::TypedFunc<(), ()>) {
//!     let bytes = memory.data_mut(&mut *store);
//!     run.call(&mut *store, ()).unwrap();
//!     bytes[0] = 1;
//! }
//! ```
//!
//! ```
//! fn one(store: &mut zwasm::Store<()>, memory: zwasm::Memory, run: zwasm::TypedFunc<(), ()>) {
//!     run.call(&mut *store, ()).unwrap();
//!     let bytes = memory.data_mut(&mut *store);
//!     bytes[0] = 1;
//! }
//! ```
//!
//! What turns values into slots takes a pointer to a store, and so a promise:
//!
//! ```compile_fail,E0133
//! let slot = zwasm::WasmTy::into_slots(1_i32, std::ptr::null_mut(), &mut 0);
//! ```
//!
//! ```no_run
//! let slot = unsafe { zwasm::WasmTy::into_slots(1_i32, std::ptr::null_mut(), &mut 0) };
//! ```
