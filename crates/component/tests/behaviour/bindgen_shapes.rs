//! What `bindgen!` makes of worlds compiles and has wasmtime's shape: the code here is
//! what an embedder of wasmtime would write.

#![allow(dead_code, reason = "that it compiles is the test")]

use std::result::Result as StdResult;

use zwasm::{AsContextMut, Engine, Error, Result, Store};
use zwasm_component::{
    Component, HasData, HasSelf, Instance, InstancePre, Linker, Resource, ResourceAny,
    ResourceTable, TypedFunc,
};

mod everything {
    zwasm_component::bindgen!({
        inline: r#"
            package test:everything;

            /// All kinds of types.
            interface kinds {
                /// A record.
                record point { x: s32, y-coordinate: s32 }
                record named { name: string, at: point, tags: list<string> }
                variant shape {
                    /// No extent.
                    dot,
                    circle(f64),
                    polygon(list<point>),
                    named(named),
                }
                enum colour { red, dark-green, blue }
                flags rights { read, write, really-execute }
                flags many {
                    b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16,
                    b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31,
                }
                enum failure {
                    /// It was not there.
                    not-found,
                    denied,
                }
                type bytes = list<u8>;
                type maybe = option<bytes>;
                type pair = tuple<u8, string>;
                type outcome = result<string, failure>;

                scalars: func(a: bool, b: u8, c: s8, d: u16, e: s16, f: u32, g: s32,
                    h: u64, i: s64, j: f32, k: f64, l: char) -> char;
                strings: func(a: string, b: list<string>, c: option<string>) -> string;
                move-point: func(p: point, by: tuple<s32, s32>) -> point;
                rename: func(n: named, %type: string) -> named;
                largest: func(of: list<shape>) -> option<shape>;
                paint: func(s: shape, c: colour) -> result<colour, failure>;
                restrict: func(r: rights, m: many) -> tuple<rights, many>;
                aliases: func(b: bytes, m: maybe, p: pair) -> outcome;
                nothing: func();
                shift: func(%type: u32) -> u32;
            }

            interface things {
                use kinds.{colour as hue, failure};
                resource thing {
                    constructor(name: string);
                    name: func() -> string;
                    colour: func() -> result<hue, failure>;
                    combine: static func(a: borrow<thing>, b: own<thing>) -> thing;
                }
                resource bare;
                record pair { left: thing, right: thing }
                pick: func(%from: list<borrow<thing>>, or: option<thing>) -> option<thing>;
                split: func(of: pair) -> tuple<thing, bare>;
            }

            world everything {
                use kinds.{point};
                resource token { constructor(); value: func() -> u32; }
                record local { p: point, t: string }
                import log: func(message: string, at: local) -> token;
                import kinds;
                import things;
                import inline-one: interface {
                    use things.{thing};
                    f: func(t: borrow<thing>) -> u32;
                }
                export kinds;
                export things;
                export environment: interface {
                    use kinds.{colour};
                    get: func(var: string) -> option<string>;
                    mix: func(c: colour) -> colour;
                }
                export run: func(l: local, words: list<string>) -> result<u32, string>;
                export stop: func();
            }
        "#,
    });
}

/// A host of the world `everything`, as it is written for wasmtime.
struct Everything;

mod hosts {
    use super::everything::test::everything::{kinds, things};
    use super::everything::{EverythingImports, HostToken, Local, Token, inline_one};
    use super::*;

    impl kinds::Host for Everything {
        fn scalars(
            &mut self,
            a: bool,
            b: u8,
            c: i8,
            d: u16,
            e: i16,
            f: u32,
            g: i32,
            h: u64,
            i: i64,
            j: f32,
            k: f64,
            l: char,
        ) -> char {
            let _ = (a, b, c, d, e, f, g, h, i, j, k);
            l
        }
        fn strings(&mut self, a: String, _: Vec<String>, _: Option<String>) -> String {
            a
        }
        fn move_point(&mut self, p: kinds::Point, by: (i32, i32)) -> kinds::Point {
            kinds::Point { x: p.x + by.0, y_coordinate: p.y_coordinate }
        }
        fn rename(&mut self, n: kinds::Named, type_: String) -> kinds::Named {
            kinds::Named { name: type_, ..n }
        }
        fn largest(&mut self, of: Vec<kinds::Shape>) -> Option<kinds::Shape> {
            of.into_iter().next()
        }
        fn paint(
            &mut self,
            _: kinds::Shape,
            c: kinds::Colour,
        ) -> StdResult<kinds::Colour, kinds::Failure> {
            Ok(c)
        }
        fn restrict(&mut self, r: kinds::Rights, m: kinds::Many) -> (kinds::Rights, kinds::Many) {
            (r, m | kinds::Many::B31)
        }
        fn aliases(&mut self, _: kinds::Bytes, _: kinds::Maybe, p: kinds::Pair) -> kinds::Outcome {
            Ok(p.1)
        }
        fn nothing(&mut self) {}
        fn shift(&mut self, type_: u32) -> u32 {
            type_
        }
    }

    impl things::HostThing for Everything {
        fn new(&mut self, _name: String) -> Resource<things::Thing> {
            Resource::new_own(1)
        }
        fn name(&mut self, self_: Resource<things::Thing>) -> String {
            self_.rep().to_string()
        }
        fn colour(
            &mut self,
            _: Resource<things::Thing>,
        ) -> StdResult<things::Hue, things::Failure> {
            Ok(kinds::Colour::Red)
        }
        fn combine(
            &mut self,
            _: Resource<things::Thing>,
            b: Resource<things::Thing>,
        ) -> Resource<things::Thing> {
            b
        }
        fn drop(&mut self, _: Resource<things::Thing>) -> Result<()> {
            Ok(())
        }
    }
    impl things::HostBare for Everything {
        fn drop(&mut self, _: Resource<things::Bare>) -> Result<()> {
            Ok(())
        }
    }
    impl things::Host for Everything {
        fn pick(
            &mut self,
            _: Vec<Resource<things::Thing>>,
            or: Option<Resource<things::Thing>>,
        ) -> Option<Resource<things::Thing>> {
            or
        }
        fn split(&mut self, of: things::Pair) -> (Resource<things::Thing>, Resource<things::Bare>) {
            (of.left, Resource::new_own(of.right.rep()))
        }
    }
    impl inline_one::Host for Everything {
        fn f(&mut self, t: Resource<inline_one::Thing>) -> u32 {
            t.rep()
        }
    }
    impl HostToken for Everything {
        fn new(&mut self) -> Resource<Token> {
            Resource::new_own(0)
        }
        fn value(&mut self, self_: Resource<Token>) -> u32 {
            self_.rep()
        }
        fn drop(&mut self, _: Resource<Token>) -> Result<()> {
            Ok(())
        }
    }
    impl EverythingImports for Everything {
        fn log(&mut self, _: String, at: Local) -> Resource<Token> {
            Resource::new_own(at.p.x as u32)
        }
    }
}

/// Everything that a guest of the world has can be reached.
fn calls(store: &mut Store<Everything>, component: &Component) -> Result<()> {
    use everything::exports::test::everything::{kinds, things};

    let mut linker = Linker::new(store.engine());
    everything::Everything::add_to_linker::<_, HasSelf<_>>(&mut linker, |data| data)?;
    everything::Everything::add_to_linker_imports::<Everything, HasSelf<Everything>>(
        &mut linker,
        |data| data,
    )?;
    everything::test::everything::kinds::add_to_linker::<_, HasSelf<_>>(&mut linker, |data| data)?;
    let pre = everything::EverythingPre::new(linker.instantiate_pre(component)?)?;
    let _: (&Engine, &Component) = (pre.engine(), pre.instance_pre().component());
    let instance: Instance = pre.instance_pre().instantiate(&mut *store)?;
    let indices = everything::EverythingIndices::new(pre.instance_pre())?;
    let _ = indices.load(&mut *store, &instance)?.environment().clone();
    let guest = everything::Everything::new(&mut *store, &instance)?;

    let local =
        everything::Local { p: everything::Point { x: 0, y_coordinate: 0 }, t: String::new() };
    let words = ["a".to_string()];
    let _: StdResult<u32, String> = guest.call_run(&mut *store, &local, &words)?;
    let run: TypedFunc<_, (StdResult<u32, String>,)> = guest.func_run();
    let _ = run.call(&mut *store, (&local, &words))?;
    guest.call_stop(&mut *store)?;
    let environment = guest.environment();
    let _: Option<String> = environment.call_get(&mut *store, "x")?;
    let _: kinds::Colour = environment.call_mix(&mut *store, kinds::Colour::Red)?;

    let types = guest.test_everything_kinds();
    let point = kinds::Point { x: 1, y_coordinate: 2 };
    let copy = point;
    let _: kinds::Point = types.call_move_point(store.as_context_mut(), copy, (1, 2))?;
    let named = kinds::Named { name: "n".into(), at: point, tags: vec![] };
    let _: kinds::Named = types.call_rename(&mut *store, &named.clone(), "t")?;
    let _ = types.call_aliases(&mut *store, &vec![1], &None, &(1, String::new()))?;
    let _: u32 = types.call_shift(&mut *store, 1)?;
    let _: String = types.call_strings(&mut *store, "", &[], Some(""))?;

    let functions = guest.test_everything_things();
    let thing: ResourceAny = functions.thing().call_constructor(&mut *store, "x")?;
    let _: String = functions.thing().call_name(&mut *store, thing)?;
    let _: things::Thing = functions.thing().call_combine(&mut *store, thing, thing)?;
    let pair = things::Pair { left: thing, right: thing };
    let _: (ResourceAny, things::Bare) = functions.call_split(&mut *store, pair)?;
    let _: Option<ResourceAny> = functions.call_pick(&mut *store, &[thing], Some(thing))?;
    Ok(())
}

/// WASI's own shape: errors of streams that hold resources, interfaces of several files,
/// errors of the host's that may be traps.
mod streams {
    zwasm_component::bindgen!({
        path: "tests/wit/streams",
        world: "test:cli/command",
        with: {
            "test:io/streams.output-stream": super::Output,
            "test:io/error@0.2.6.error": zwasm::Error,
        },
        imports: {
            "test:cli/environment": trappable,
            "test:io/streams.[method]output-stream.check-write": trappable | exact,
            "test:io/streams@0.2.6.[method]output-stream.write": trappable,
            "test:io/error": trappable,
            default: trappable,
        },
        trappable_error_type: { "test:io/streams.stream-error" => super::StreamFailure },
        require_store_data_send: true,
    });
}

/// What a stream of output is.
pub struct Output(Vec<u8>);

/// Why the host's streams fail.
pub enum StreamFailure {
    /// There is nothing more.
    Closed,
    /// As an error that the guest is told.
    Failed(Error),
    /// As one that stops it.
    Trap(Error),
}

#[derive(Default)]
struct Streams {
    table: ResourceTable,
}

struct View<'a>(&'a mut ResourceTable);

struct HasView;
impl HasData for HasView {
    type Data<'a> = View<'a>;
}

mod stream_hosts {
    use super::streams::test::cli::{environment, exit, stdout};
    use super::streams::test::io::{error, poll, streams};
    use super::*;

    impl streams::Host for View<'_> {
        fn convert_stream_error(&mut self, err: StreamFailure) -> Result<streams::StreamError> {
            match err {
                StreamFailure::Closed => Ok(streams::StreamError::Closed),
                StreamFailure::Failed(error) => {
                    Ok(streams::StreamError::LastOperationFailed(self.0.push(error)?))
                }
                StreamFailure::Trap(error) => Err(error),
            }
        }
    }
    impl streams::HostOutputStream for View<'_> {
        fn check_write(&mut self, self_: Resource<Output>) -> StdResult<u64, StreamFailure> {
            let output = self.0.get(&self_).map_err(|error| StreamFailure::Trap(error.into()))?;
            match output.0.len() as u64 {
                100.. => Err(StreamFailure::Closed),
                left => Ok(100 - left),
            }
        }
        fn write(
            &mut self,
            self_: Resource<Output>,
            contents: Vec<u8>,
        ) -> StdResult<(), StreamFailure> {
            let output =
                self.0.get_mut(&self_).map_err(|error| StreamFailure::Trap(error.into()))?;
            output.0.extend(contents);
            Ok(())
        }
        fn subscribe(
            &mut self,
            self_: Resource<streams::OutputStream>,
        ) -> Result<Resource<streams::Pollable>> {
            Ok(Resource::new_own(self_.rep()))
        }
        fn drop(&mut self, rep: Resource<Output>) -> Result<()> {
            self.0.delete(rep)?;
            Ok(())
        }
    }
    impl poll::Host for View<'_> {
        fn poll(&mut self, in_: Vec<Resource<poll::Pollable>>) -> Result<Vec<u32>> {
            Ok((0..in_.len() as u32).collect())
        }
    }
    impl poll::HostPollable for View<'_> {
        fn ready(&mut self, _: Resource<poll::Pollable>) -> Result<bool> {
            Ok(true)
        }
        fn block(&mut self, _: Resource<poll::Pollable>) -> Result<()> {
            Ok(())
        }
        fn drop(&mut self, _: Resource<poll::Pollable>) -> Result<()> {
            Ok(())
        }
    }
    impl error::Host for View<'_> {}
    impl error::HostError for View<'_> {
        fn to_debug_string(&mut self, self_: Resource<Error>) -> Result<String> {
            Ok(self.0.get(&self_)?.to_string())
        }
        fn drop(&mut self, rep: Resource<Error>) -> Result<()> {
            self.0.delete(rep)?;
            Ok(())
        }
    }
    impl environment::Host for View<'_> {
        fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
            Ok(vec![])
        }
        fn get_arguments(&mut self) -> Result<Vec<String>> {
            Ok(vec![])
        }
        fn initial_cwd(&mut self) -> Result<Option<String>> {
            Ok(None)
        }
    }
    impl exit::Host for View<'_> {
        fn exit(&mut self, status: StdResult<(), ()>) -> Result<()> {
            Err(Error::msg(format!("exit {}", u8::from(status.is_err()))))
        }
    }
    impl stdout::Host for View<'_> {
        fn get_stdout(&mut self) -> Result<Resource<stdout::OutputStream>> {
            Ok(self.0.push(Output(vec![]))?)
        }
    }
}

/// The same interfaces in another world, in which they are not made again.
mod reused {
    zwasm_component::bindgen!({
        path: ["tests/wit/extra", "tests/wit/streams"],
        inline: r#"
            package test:more;
            world more {
                import test:cli/stdout@0.2.6;
                import say: func();
                import test:extra/volume;
                export test:cli/run@0.2.6;
            }
        "#,
        world: "more",
        with: {
            "test:io": super::streams::test::io,
            "test:cli/stdout@0.2.6": super::streams::test::cli::stdout,
        },
        require_store_data_send: true,
    });
}

impl reused::test::extra::volume::Host for View<'_> {
    fn set(&mut self, percent: u8) -> u8 {
        percent.min(100)
    }
}
impl reused::MoreImports for View<'_> {
    fn say(&mut self) {}
}

#[test]
fn interfaces_are_added_with_what_they_use() -> Result<()> {
    let engine = Engine::default();
    let getter: fn(&mut Streams) -> View<'_> = |streams| View(&mut streams.table);
    let mut linker = Linker::new(&engine);
    streams::Command::add_to_linker::<_, HasView>(&mut linker, getter)?;
    let mut linker = Linker::new(&engine);
    reused::More::add_to_linker::<_, HasView>(&mut linker, getter)?;
    // What is reused is the same type.
    let _: Option<Resource<reused::test::io::streams::OutputStream>> =
        None::<Resource<streams::test::cli::stdout::OutputStream>>;
    Ok(())
}

/// Names that are keywords of Rust, also where wasmtime does not compile them.
mod keywords {
    zwasm_component::bindgen!({
        inline: r#"
            package %type:%use;
            interface %as {
                resource %self { constructor(%in: u32); %static: func(); %ref: static func(); }
                record %struct { %fn: u32 }
                variant %enum { %self(u32), %super }
                flags %flags { %self }
                type %option = option<u32>;
                %loop: func(%type: %struct, %as: option<%enum>, %gen: %flags) -> %option;
            }
            world %world {
                import %as;
                import %let: interface { %match: func(); }
                export %as;
                export %where: interface { %impl: func(); }
                export %type: func(%self: string);
            }
        "#,
    });
}

fn keyword_calls(store: &mut Store<()>, world: &keywords::World) -> Result<()> {
    use keywords::exports::type_::use_::as_::{Enum, Flags, Struct};
    let interface = world.type__use__as_();
    let flags = Flags::SELF;
    interface.call_loop(&mut *store, Struct { fn_: 1 }, Some(Enum::Self_(2)), flags)?;
    let resource = interface.self_().call_constructor(&mut *store, 1)?;
    interface.self_().call_static(&mut *store, resource)?;
    interface.self_().call_ref(&mut *store)?;
    world.where_().call_impl(&mut *store)?;
    world.call_type(store, "")
}

/// Interfaces of several versions, and under several names.
mod names {
    zwasm_component::bindgen!({
        inline: r#"
            package a:b;
            package c:d@0.1.0 { interface i { f: func(); } }
            package c:d@0.2.0 { interface i { f: func() -> u32; } }
            interface store { get: func(key: string) -> option<string>; }
            world host {
                import c:d/i@0.1.0;
                import c:d/i@0.2.0;
                import hot-cache: store;
                import durable: store;
                export c:d/i@0.2.0;
            }
        "#,
        skip_mut_forwarding_impls: true,
    });
}

struct Names;

impl names::c::d0_1_0::i::Host for &mut Names {
    fn f(&mut self) {}
}
impl names::c::d0_2_0::i::Host for &mut Names {
    fn f(&mut self) -> u32 {
        2
    }
}
impl names::a::b::store::Host for &mut Names {
    fn get(&mut self, key: String) -> Option<String> {
        Some(key)
    }
}

fn named(store: &mut Store<Names>, component: &Component) -> Result<u32> {
    let mut linker = Linker::new(store.engine());
    names::Host_::add_to_linker::<_, HasSelf<_>>(&mut linker, |names: &mut Names| names)?;
    let host = names::Host_::instantiate(&mut *store, component, &linker)?;
    host.c_d0_2_0_i().call_f(store)
}

/// Only interfaces, and what is unstable.
mod unstable {
    zwasm_component::bindgen!({
        inline: r#"
            package a:b;
            interface i {
                f: func();
                @unstable(feature = new-things)
                g: func();
                @unstable(feature = resources)
                resource r { @unstable(feature = new-things) h: func(); }
            }
            world w {
                import i;
                @unstable(feature = root)
                import j: func();
            }
        "#,
    });

    pub mod interfaces {
        zwasm_component::bindgen!({
            path: "tests/wit/streams",
            interfaces: "import test:cli/environment@0.2.6; export test:cli/run@0.2.6;",
        });
    }
}

struct Unstable;

impl unstable::a::b::i::Host for Unstable {
    fn f(&mut self) {}
    fn g(&mut self) {}
}
impl unstable::a::b::i::HostR for Unstable {
    fn h(&mut self, _: Resource<unstable::a::b::i::R>) {}
    fn drop(&mut self, _: Resource<unstable::a::b::i::R>) -> Result<()> {
        Ok(())
    }
}
impl unstable::WImports for Unstable {
    fn j(&mut self) {}
}

#[test]
fn what_is_unstable_is_added_when_asked_for() -> Result<()> {
    let engine = Engine::default();
    let component = |import: &str| {
        Component::new(&engine, format!("(component (import {import}))")).expect("a component")
    };
    let stable = component(r#""a:b/i" (instance (export "f" (func)))"#);
    let function = component(r#""a:b/i" (instance (export "g" (func)))"#);
    let resource = component(r#""a:b/i" (instance (export "r" (type (sub resource))))"#);
    let root = component(r#""j" (func)"#);
    let links = |options: &unstable::LinkOptions| {
        let mut linker = Linker::new(&engine);
        unstable::W::add_to_linker::<_, HasSelf<_>>(&mut linker, options, |it: &mut Unstable| it)
            .expect("nothing is defined twice");
        [&stable, &function, &resource, &root]
            .map(|component| linker.instantiate_pre(component).is_ok())
    };
    let mut options = unstable::LinkOptions::default();
    assert_eq!(links(&options), [true, false, false, false]);
    options.new_things(true);
    assert_eq!(links(&options), [true, true, false, false]);
    options.resources(true).root(true);
    assert_eq!(links(&options), [true; 4]);
    Ok(())
}

struct Environment;

impl unstable::interfaces::test::cli::environment::Host for Environment {
    fn get_environment(&mut self) -> Vec<(String, String)> {
        vec![("a".into(), "b".into())]
    }
    fn get_arguments(&mut self) -> Vec<String> {
        vec![]
    }
    fn initial_cwd(&mut self) -> Option<String> {
        None
    }
}

fn runs(
    store: &mut Store<Environment>,
    pre: &InstancePre<Environment>,
) -> Result<StdResult<(), ()>> {
    let indices = unstable::interfaces::exports::test::cli::run::GuestIndices::new(pre)?;
    let instance = pre.instantiate(&mut *store)?;
    let guest = indices.load(&mut *store, &instance)?;
    guest.call_run(store)
}
