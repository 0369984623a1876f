//! Hosts made with `bindgen!` whose functions have the store, and guests whose functions are
//! asynchronous in WIT.

use std::collections::VecDeque;
use std::future::poll_fn;

use zwasm::{AsContextMut, Engine, Error, Result, Store};
use zwasm_component::{
    Access, Accessor, Component, HasData, HasSelf, Linker, Resource, RunConcurrent, StreamReader,
    stream,
};

use crate::asynchronous::{After, block_on};
use crate::tasks::GUEST;

mod waiting {
    zwasm_component::bindgen!({
        inline: r#"
            package test:waiting;

            world waiting {
                import wait: async func(x: u32) -> u32;
                export run: async func(x: u32) -> u32;
                export sum: async func(s: stream<u8>) -> u32;
                export numbers: async func(n: u32) -> stream<u8>;
            }
        "#,
    });
}

#[derive(Default)]
struct Waits {
    under_way: u32,
    most: u32,
}

impl waiting::WaitingImportsWithStore for HasSelf<Waits> {
    async fn wait<T: 'static>(accessor: &Accessor<T, Self>, x: u32) -> u32 {
        accessor.with(|mut access| {
            let waits = access.get();
            waits.under_way += 1;
            waits.most = waits.most.max(waits.under_way);
        });
        After::new(x).await;
        accessor.with(|mut access| access.get().under_way -= 1);
        10 * x
    }
}

impl waiting::WaitingImports for Waits {}

/// A guest, and a store in which its host is the data.
fn waiting_guest() -> Result<(Store<Waits>, waiting::Waiting)> {
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST)?;
    let mut linker = Linker::new(&engine);
    waiting::Waiting::add_to_linker::<_, HasSelf<Waits>>(&mut linker, |waits| waits)?;
    let mut store = Store::new(&engine, Waits::default());
    let instantiated = waiting::Waiting::instantiate_async(&mut store, &component, &linker);
    let guest = block_on(instantiated).0?;
    Ok((store, guest))
}

#[test]
fn what_is_asynchronous_in_wit_is_concurrent() -> Result<()> {
    let (mut store, guest) = waiting_guest()?;
    let results = block_on(store.run_concurrent(async |accessor| {
        let mut calls: Vec<_> =
            [30, 20, 50].map(|x| Box::pin(guest.call_run(accessor, x))).into_iter().collect();
        let mut results = Vec::new();
        poll_fn(|context| {
            calls.retain_mut(|call| match call.as_mut().poll(context) {
                std::task::Poll::Ready(result) => {
                    results.push(result);
                    false
                }
                std::task::Poll::Pending => true,
            });
            match calls.is_empty() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        results.into_iter().collect::<Result<Vec<_>>>()
    }));
    assert_eq!(results.0??, [201, 301, 501]);
    assert_eq!((store.data().under_way, store.data().most), (0, 3));
    Ok(())
}

#[test]
fn streams_are_their_ends() -> Result<()> {
    let (mut store, guest) = waiting_guest()?;
    let (sum, numbers) = block_on(store.run_concurrent(async |accessor| {
        let (writer, reader) = accessor.with(|access| stream::<u8>(access))?;
        let mut bytes = VecDeque::from([1, 2, 3, 4]);
        let mut sum = Box::pin(guest.call_sum(accessor, reader));
        let sum = poll_fn(|context| {
            let written = accessor.with(|access| writer.poll_write(access, context, &mut bytes));
            if written.is_ready() && bytes.is_empty() {
                let _ = accessor.with(|access| writer.close(access));
            }
            sum.as_mut().poll(context)
        })
        .await?;
        let numbers: StreamReader<u8> = guest.call_numbers(accessor, 300).await?;
        let mut read = Vec::new();
        let read_on = |context: &mut std::task::Context<'_>, read: &mut Vec<u8>| {
            accessor.with(|access| numbers.poll_read(access, context, read, 100))
        };
        while poll_fn(|context| read_on(context, &mut read)).await? {}
        accessor.with(|access| numbers.any().close(access))?;
        Ok::<_, Error>((sum, read))
    }))
    .0??;
    assert_eq!((sum, numbers.len()), (10, 300));
    Ok(())
}

mod things {
    zwasm_component::bindgen!({
        inline: r#"
            package test:things;

            interface things {
                resource thing;
                enum failure { none-left, broken }
                make: func(n: u32) -> result<thing, failure>;
                count: func() -> u32;
                twice: func(x: u32) -> u32;
            }

            world user {
                import things;
                export use-them: func(n: u32) -> u32;
                export calls: async func(n: u32) -> u32;
            }
        "#,
        imports: {
            "test:things/things.[drop]thing": store,
            "test:things/things.make": async | store | trappable,
            "test:things/things.count": store | trappable,
        },
        exports: { "use-them": async },
        with: { "test:things/things.thing": super::Thing },
        trappable_error_type: { "test:things/things.failure" => super::Failed },
    });
}

/// The host's thing.
pub struct Thing;

/// Why there is no thing.
pub enum Failed {
    Told(things::test::things::things::Failure),
    Stopped,
}

/// `use-them(n)` makes `n` things, drops them, and gives how many there were before that; a
/// hundred more if the last could not be made. `calls(n)` is `twice(n)`.
const USER: &str = r#"(component
  (import "test:things/things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (type $failure' (enum "none-left" "broken"))
    (export "failure" (type $failure (eq $failure')))
    (export "make" (func (param "n" u32) (result (result (own $thing) (error $failure)))))
    (export "count" (func (result u32)))
    (export "twice" (func (param "x" u32) (result u32)))))
  (alias export $things "thing" (type $thing))
  (core module $Memory (memory (export "mem") 1))
  (core instance $memory (instantiate $Memory))
  (core func $make (canon lower (func $things "make") (memory (core memory $memory "mem"))))
  (core func $count (canon lower (func $things "count")))
  (core func $twice (canon lower (func $things "twice")))
  (core func $drop (canon resource.drop $thing))
  (core module $Code
    (import "" "mem" (memory 1))
    (import "" "make" (func $make (param i32 i32)))
    (import "" "count" (func $count (result i32)))
    (import "" "twice" (func $twice (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "twice") (param i32) (result i32) (call $twice (local.get 0)))
    (func (export "use") (param $n i32) (result i32) (local $at i32) (local $more i32)
      (loop $each
        (call $make (local.get $n) (i32.const 0))
        (if (i32.load8_u (i32.const 0))
          (then (local.set $more (i32.const 100)))
          (else
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (i32.store offset=96 (local.get $at) (i32.load (i32.const 4)))))
        (br_if $each (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.set $more (i32.add (local.get $more) (call $count)))
      (loop $each
        (call $drop (i32.load offset=96 (local.get $at)))
        (br_if $each (local.tee $at (i32.sub (local.get $at) (i32.const 4)))))
      (local.get $more)))
  (core instance $code (instantiate $Code (with "" (instance
    (export "mem" (memory $memory "mem")) (export "make" (func $make))
    (export "count" (func $count)) (export "twice" (func $twice)) (export "drop" (func $drop))))))
  (func (export "use-them") (param "n" u32) (result u32) (canon lift (core func $code "use")))
  (func (export "calls") async (param "n" u32) (result u32)
    (canon lift (core func $code "twice"))))"#;

/// More than one part of a store's data, which a function of the host's borrows.
struct Parts<'a> {
    made: &'a mut Vec<u32>,
}

struct HasParts;

impl HasData for HasParts {
    type Data<'a> = Parts<'a>;
}

type Data = (String, Vec<u32>);

use things::test::things::things::{Failure, Host, HostThing, HostThingWithStore, HostWithStore};

impl HostThing for Parts<'_> {}

impl HostThingWithStore for HasParts {
    fn drop<T: 'static>(mut host: Access<'_, T, Self>, rep: Resource<Thing>) -> Result<()> {
        host.get().made.retain(|made| *made != rep.rep());
        // It is the whole store that it has.
        assert!(host.as_context_mut().get_fuel().is_err());
        Ok(())
    }
}

impl Host for Parts<'_> {
    fn twice(&mut self, x: u32) -> u32 {
        2 * x
    }

    fn convert_failure(&mut self, error: Failed) -> Result<Failure> {
        match error {
            Failed::Told(failure) => Ok(failure),
            Failed::Stopped => Err(Error::msg("seven are too many")),
        }
    }
}

impl HostWithStore for HasParts {
    async fn make<T: 'static>(
        accessor: &Accessor<T, Self>,
        n: u32,
    ) -> std::result::Result<Resource<Thing>, Failed> {
        After::new(2).await;
        match n {
            7 => Err(Failed::Stopped),
            3 => Err(Failed::Told(Failure::NoneLeft)),
            n => {
                accessor.with(|mut access| access.get().made.push(n));
                Ok(Resource::new_own(n))
            }
        }
    }

    fn count<T: 'static>(mut host: Access<'_, T, Self>) -> Result<u32> {
        Ok(host.get().made.len() as u32)
    }
}

#[test]
fn functions_with_the_store_are_of_all_kinds() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(&engine, USER)?;
    let mut linker = Linker::new(&engine);
    things::User::add_to_linker::<Data, HasParts>(&mut linker, |(_, made)| Parts { made })?;
    let mut store = Store::new(&engine, Data::default());
    let instantiated = things::User::instantiate_async(&mut store, &component, &linker);
    let guest = block_on(instantiated).0?;
    assert_eq!(block_on(guest.call_use_them(&mut store, 2)).0?, 2);
    // The third is not made, and so told.
    assert_eq!(block_on(guest.call_use_them(&mut store, 4)).0?, 103);
    assert_eq!(store.data().1, []);
    let twice =
        block_on(store.run_concurrent(async |accessor| guest.call_calls(accessor, 21).await));
    assert_eq!(twice.0??, 42);
    let error = block_on(guest.call_use_them(&mut store, 7)).0.unwrap_err();
    assert!(error.summary().contains("seven are too many"), "{error}");
    Ok(())
}
