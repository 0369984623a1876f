//! The macros, documented where they are used.

/// Makes Rust types, traits and functions of a world in [WIT].
///
/// What it makes, and how it is told, has wasmtime's shape. The macro reads WIT files,
/// looked for from the folder of the crate's `Cargo.toml` (`wit/` unless others are
/// named), or WIT in the invocation itself.
///
/// ```
/// use zwasm::{Engine, Result, Store};
/// use zwasm_component::{Component, HasSelf, Linker, bindgen};
///
/// bindgen!({
///     inline: r#"
///         package example:greeting;
///         world greeter {
///             import name: func() -> string;
///             export greet: func(times: u32) -> u32;
///         }
///     "#,
/// });
///
/// struct Host(String);
///
/// impl GreeterImports for Host {
///     fn name(&mut self) -> String {
///         self.0.clone()
///     }
/// }
///
/// fn greet(component: &[u8]) -> Result<u32> {
///     let engine = Engine::default();
///     let component = Component::new(&engine, component)?;
///     let mut linker = Linker::new(&engine);
///     Greeter::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
///     let mut store = Store::new(&engine, Host("Alice".to_string()));
///     let greeter = Greeter::instantiate(&mut store, &component, &linker)?;
///     greeter.call_greet(&mut store, 3)
/// }
/// ```
///
/// # What is made
///
/// For a world `my-world`:
///
/// - `MyWorld`, with `instantiate`, `new` for an instance that is there already, a
///   `call_…` for each exported function, a method for each exported interface, and
///   `add_to_linker`; and `MyWorldPre`, the same with imports found but nothing
///   instantiated yet;
/// - `MyWorldImports`, a trait with the functions that the world itself imports;
/// - for an imported interface a module `namespace::package::interface` with its types,
///   a trait `Host` with its functions, a trait `Host…` with the methods and the `drop` of
///   each resource, and `add_to_linker`;
/// - for an exported interface a module `exports::namespace::package::interface` with its
///   types and `Guest`, whose `call_…` call its functions; those of a resource are behind
///   a method of the resource's name.
///
/// Records, variants, enums and flags become types of the same shape; `string` and `list`
/// are `String` and `Vec`, by reference where they are arguments of a guest's function. A
/// handle to an imported resource is a [`Resource<T>`](crate::Resource), in which `T` is
/// an empty type of the resource's name or what `with` says; one to a guest's resource is a
/// [`ResourceAny`](crate::ResourceAny).
///
/// # Syntax
///
/// ```ignore
/// bindgen!();                           // the one world in `wit/`
/// bindgen!("my-world");                 // that world in `wit/`
/// bindgen!("my-world" in "other/wit");  // that world elsewhere
/// bindgen!({
///     world: "my-world",
///     path: "other/wit",                // or several: ["one", "other"]
///     inline: "package a:b; world my-world {}",
///     // Instead of a world, interfaces alone.
///     interfaces: "import wasi:cli/environment;",
///
///     // How functions are made. The first that fits counts: a function, an interface, a
///     // package or a namespace, with or without version. A rule that is for nothing is
///     // an error.
///     imports: {
///         // Its implementation returns `zwasm::Result`, of which an error stops the guest.
///         "my:package/interface.function": trappable,
///         // Only the function that the world itself imports by this name.
///         "my": trappable | exact,
///         // Its implementation is a future; see below.
///         "my:package/interface.other": async | trappable,
///         // What happens when a guest drops a resource is a future.
///         "my:package/interface.[drop]resource": async,
///         // Its implementation has the store; see below.
///         "my:package/interface.third": store | trappable,
///         default: trappable,
///     },
///     // The function is called by a future.
///     exports: { "my:other/interface": async, default: trappable },
///
///     // In place of `result<_, stream-error>`, trappable functions return this type as
///     // their error; `Host::convert_stream_error` makes the guest's of it, or stops it.
///     trappable_error_type: { "wasi:io/streams.stream-error" => MyError },
///
///     // What was made elsewhere: types for resources, modules for interfaces, packages
///     // and namespaces.
///     with: {
///         "my:package/interface.resource": MyResource,
///         "my:other": other_crate::my::other,
///     },
///
///     additional_derives: [PartialEq, serde::Serialize],
///     require_store_data_send: false,   // `T: Send` for the data of stores
///     skip_mut_forwarding_impls: false, // no `impl Host for &mut T`
///     ownership: Owning,                // the only one
///     component_crate: zwasm_component, // where this crate is
/// });
/// ```
///
/// Interfaces and functions that are marked as unstable are put into a linker only if
/// `LinkOptions`, which then are a parameter of `add_to_linker`, say so.
///
/// # Functions that are futures
///
/// A function that is imported and is `async` is an `async fn` of its trait, which then has
/// [`Send`] above it; `add_to_linker` wants data that is `Send`. One that is exported and is
/// `async` has a `call_…` that is an `async fn`, and there is `instantiate_async` beside
/// `instantiate`. What such calls mean is told at
/// [`TypedFunc::call_async`](crate::TypedFunc::call_async) and
/// [`LinkerInstance::func_wrap_async`](crate::LinkerInstance::func_wrap_async): the guest
/// notices nothing, and the executor's thread does not wait. It takes the feature `async` of
/// this crate.
///
/// ```
/// use zwasm::{Engine, Result, Store};
/// use zwasm_component::{Component, HasSelf, Linker, bindgen};
///
/// bindgen!({
///     inline: r#"
///         package example:cache;
///         world cached {
///             import fetch: func(key: string) -> option<string>;
///             export refresh: func(key: string) -> u32;
///         }
///     "#,
///     imports: { default: async | trappable },
///     exports: { default: async },
/// });
///
/// struct Host;
///
/// impl CachedImports for Host {
///     async fn fetch(&mut self, key: String) -> Result<Option<String>> {
///         Ok(Some(slow(key).await))
///     }
/// }
///
/// # async fn slow(key: String) -> String { key }
/// async fn refresh(component: &Component, key: &str) -> Result<u32> {
///     let mut linker = Linker::new(component.engine());
///     Cached::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
///     let mut store = Store::new(component.engine(), Host);
///     let cached = Cached::instantiate_async(&mut store, component, &linker).await?;
///     cached.call_refresh(&mut store, key).await
/// }
/// ```
///
/// # Functions that have the store
///
/// `store` among the flags of a function that is imported has it be one of a trait of its
/// own, whose name ends in `WithStore` and which is implemented for what names the host's
/// data ([`HasData`](crate::HasData)). Its first parameter is the store: an
/// [`Access`](crate::Access), or with `async` an [`Accessor`](crate::Accessor), beside which
/// guests and other functions go on. Functions that are `async` in WIT are `async | store`
/// whatever is said, and those among the exports take an `Accessor` as well: they are called
/// within [`run_concurrent`](crate::RunConcurrent::run_concurrent). Streams and futures are
/// [`StreamReader`](crate::StreamReader) and [`FutureReader`](crate::FutureReader).
///
/// ```
/// use zwasm::{Engine, Result, Store};
/// use zwasm_component::{Accessor, Component, HasSelf, Linker, RunConcurrent, bindgen};
///
/// bindgen!({
///     inline: r#"
///         package example:cache;
///         world filled {
///             import fetch: async func(key: string) -> option<string>;
///             export fill: async func(keys: list<string>) -> u32;
///         }
///     "#,
/// });
///
/// struct Host {
///     asked: u32,
/// }
///
/// impl FilledImportsWithStore for HasSelf<Host> {
///     async fn fetch<T: 'static>(accessor: &Accessor<T, Self>, key: String) -> Option<String> {
///         accessor.with(|mut access| access.get().asked += 1);
///         Some(slow(key).await)
///     }
/// }
///
/// impl FilledImports for Host {}
///
/// # async fn slow(key: String) -> String { key }
/// async fn fill(component: &Component, keys: Vec<String>) -> Result<u32> {
///     let mut linker = Linker::new(component.engine());
///     Filled::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
///     let mut store = Store::new(component.engine(), Host { asked: 0 });
///     let filled = Filled::instantiate_async(&mut store, component, &linker).await?;
///     store.run_concurrent(async |accessor| filled.call_fill(accessor, keys).await).await?
/// }
/// ```
///
/// `error-context` is refused, and so are options of wasmtime's that are not above.
///
/// ```compile_fail
/// zwasm_component::bindgen!({ inline: "package a:b; world w {}", wolrd: "w" });
/// ```
///
/// [WIT]: https://component-model.bytecodealliance.org/design/wit.html
pub use zwasm_component_macro::bindgen;

/// Derives [`ComponentType`](trait@crate::ComponentType): a Rust type for a record, a variant
/// or an enum.
///
/// Which of them is said by `#[component(record)]`, `#[component(variant)]` or
/// `#[component(enum)]`. Names and their order have to be those of the component type;
/// `#[component(name = "…")]` gives a field or case the name that it has there.
///
/// ```
/// use zwasm_component::{ComponentType, Lift, Lower};
///
/// /// `record color { r: u8, green: u8 }`
/// #[derive(ComponentType, Lift, Lower)]
/// #[component(record)]
/// struct Color {
///     r: u8,
///     #[component(name = "green")]
///     g: u8,
/// }
///
/// /// `variant filter { none, some(list<string>) }`
/// #[derive(ComponentType, Lift, Lower)]
/// #[component(variant)]
/// enum Filter {
///     #[component(name = "none")]
///     None,
///     #[component(name = "some")]
///     Some(Vec<String>),
/// }
///
/// /// `enum setting { yes, no }`
/// #[derive(ComponentType, Lift, Lower)]
/// #[component(enum)]
/// enum Setting {
///     #[component(name = "yes")]
///     Yes,
///     #[component(name = "no")]
///     No,
/// }
/// ```
///
/// A case has at most one field, which has no name, and a record's fields have names:
///
/// ```compile_fail
/// #[derive(zwasm_component::ComponentType)]
/// #[component(variant)]
/// enum Shape {
///     Rectangle(u32, u32),
/// }
/// ```
pub use zwasm_component_macro::ComponentType;

/// Derives [`Lift`](trait@crate::Lift), for values that come from a guest: see the derive of
/// [`ComponentType`](derive@ComponentType).
pub use zwasm_component_macro::Lift;

/// Derives [`Lower`](trait@crate::Lower), for values that go to a guest: see the derive of
/// [`ComponentType`](derive@ComponentType).
pub use zwasm_component_macro::Lower;

/// Defines a type for `flags`, with a constant for each flag.
///
/// ```
/// zwasm_component::flags! {
///     /// `flags rights { read, write }`
///     Rights {
///         #[component(name = "read")]
///         const READ;
///         #[component(name = "write")]
///         const WRITE;
///     }
/// }
///
/// let both = Rights::READ | Rights::WRITE;
/// assert!(both.contains(Rights::READ) && both == Rights::all());
/// assert_eq!(format!("{:?}", both & !Rights::READ), "(WRITE)");
/// ```
pub use zwasm_component_macro::flags;
