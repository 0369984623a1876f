//! Programs that must not compile: each would reach freed memory from safe Rust. Those
//! that may stand beside them, so that the others fail for the reason meant.
//!
//! A store may not pretend that its data lives shorter than it does, for a host function
//! of the store would read what was put into it for the shorter time:
//!
//! ```compile_fail
//! fn shorter<'a>(store: zwasm::Store<&'static str>) -> zwasm::Store<&'a str> {
//!     store
//! }
//! ```
//!
//! ```
//! fn same<'a>(store: zwasm::Store<&'a str>) -> zwasm::Store<&'a str> {
//!     store
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
//! Nor a context or caller, whose data is written through:
//!
//! ```compile_fail
//! fn shorter<'s, 'a>(
//!     context: zwasm::StoreContextMut<'s, &'static str>,
//! ) -> zwasm::StoreContextMut<'s, &'a str> {
//!     context
//! }
//! ```
//!
//! ```compile_fail
//! fn shorter<'s, 'a>(caller: zwasm::Caller<'s, &'static str>) -> zwasm::Caller<'s, &'a str> {
//!     caller
//! }
//! ```
//!
//! ```
//! fn same<'s, 'a>(caller: zwasm::Caller<'s, &'a str>) -> zwasm::Caller<'s, &'a str> {
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
