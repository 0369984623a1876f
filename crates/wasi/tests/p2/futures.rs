//! Guests that wait as futures: others have their turn meanwhile, in the same thread.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use zwasm::{Engine, ErrorKind, Result, Store};
use zwasm_component::{Component, Instance, Linker, ResourceTable};
use zwasm_wasi::p2::add_to_linker_async;
use zwasm_wasi::{Capabilities, WasiCtx, WasiCtxBuilder};

use super::guest::Answer::{Any, Code, Fine, Is};
use super::guest::Arg::{L, List, Of, S};
use super::guest::{Call, State, bytes, differences, program};

/// A guest with these calls in a store of its own.
struct Guest {
    store: Store<State>,
    instance: Instance,
    calls: &'static [Call],
}

impl Guest {
    fn new(builder: &mut WasiCtxBuilder, calls: &'static [Call]) -> Guest {
        let engine = Engine::default();
        let text = program(calls, "0.2.12");
        let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut linker = Linker::new(&engine);
        add_to_linker_async(&mut linker).unwrap();
        let state = State { wasi: builder.build(), table: ResourceTable::new() };
        let mut store = Store::new(&engine, state);
        let instance = now(linker.instantiate_async(&mut store, &component)).unwrap();
        Guest { store, instance, calls }
    }

    /// Makes the calls.
    async fn run(&mut self) -> Result<()> {
        let attack = self.instance.get_typed_func::<(), ()>(&mut self.store, "attack")?;
        attack.call_async(&mut self.store, ()).await
    }

    /// Its memory, when it has been answered as expected.
    fn contents(&mut self) -> Vec<u8> {
        let contents =
            self.instance.get_typed_func::<(), (Vec<u8>,)>(&mut self.store, "contents").unwrap();
        let contents = contents.call(&mut self.store, ()).unwrap().0;
        assert_eq!(differences(&contents, self.calls), Vec::<String>::new());
        contents
    }
}

/// What a future gives that waits for nothing.
fn now<R>(future: impl Future<Output = R>) -> R {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

/// Wakes a task by its number.
struct Task(usize, Sender<usize>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // The executor may be gone.
        let _ = self.1.send(self.0);
    }
}

/// An executor: polls in this thread what was woken until all is done. Gives the order in which
/// they ended, and how often each was polled.
fn run_all(futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) -> (Vec<usize>, Vec<usize>) {
    let (sender, receiver) = channel();
    let mut tasks: Vec<_> = futures.into_iter().map(Some).collect();
    let (mut ended, mut polls) = (Vec::new(), vec![0; tasks.len()]);
    (0..tasks.len()).for_each(|task| sender.send(task).unwrap());
    while ended.len() < tasks.len() {
        let task = receiver.recv_timeout(Duration::from_secs(30)).expect("nobody was woken");
        let waker = Waker::from(Arc::new(Task(task, sender.clone())));
        let Some(future) = &mut tasks[task] else { continue };
        polls[task] += 1;
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            tasks[task] = None;
            ended.push(task);
        }
    }
    (ended, polls)
}

fn builder() -> WasiCtxBuilder {
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL);
    builder
}

const SLEEPS: &[Call] = &[
    ("subscribe-duration", &[L(300_000_000)], &[Any]),
    ("pollable.block", &[Of(0)], &[Any]),
    ("subscribe-duration", &[L(u64::MAX)], &[Any]),
    ("subscribe-duration", &[L(1_000_000)], &[Any]),
    ("poll", &[List(&[2, 3])], &[Any]),
    ("pollable.ready", &[Of(3)], &[Is(1)]),
];

const NAPS: &[Call] =
    &[("subscribe-duration", &[L(20_000_000)], &[Any]), ("pollable.block", &[Of(0)], &[Any])];

#[test]
fn one_sleeps_while_others_run() {
    let mut sleeper = Guest::new(&mut builder(), SLEEPS);
    let mut others: Vec<_> = (0..5).map(|_| Guest::new(&mut builder(), NAPS)).collect();
    let start = Instant::now();
    let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for guest in std::iter::once(&mut sleeper).chain(&mut others) {
        futures.push(Box::pin(async { guest.run().await.unwrap() }));
    }
    let (ended, polls) = run_all(futures);
    assert_eq!(ended.last(), Some(&0), "{ended:?}");
    assert!(polls.iter().all(|polls| (2..20).contains(polls)), "{polls:?}");
    // One after the other they would take longer than together.
    assert!(start.elapsed() >= Duration::from_millis(300));
    sleeper.contents();
    others.iter_mut().for_each(|other| drop(other.contents()));
}

const READS: &[Call] = &[
    ("get-stdin", &[], &[Any]),
    ("input-stream.blocking-read", &[Of(0), L(10)], &[Fine]),
    ("input-stream.subscribe", &[Of(0)], &[Any]),
    ("poll", &[List(&[2])], &[Any]),
    ("input-stream.blocking-skip", &[Of(0), L(10)], &[Fine]),
    ("input-stream.blocking-read", &[Of(0), L(10)], &[Code(1)]),
    ("get-stdout", &[], &[Any]),
    ("blocking-write-and-flush", &[Of(6), S("done")], &[Fine]),
    ("output-stream_drop", &[Of(6)], &[Any]),
];

#[test]
fn reading_a_pipe_waits_for_who_writes_it() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let stdout = zwasm_wasi::p2::pipe::MemoryOutputPipe::new(100);
    let mut from = builder();
    from.stdin_from(reader).stdout(Box::new(stdout.clone()));
    let mut guest = Guest::new(&mut from, READS);
    let mut napper = Guest::new(&mut builder(), NAPS);
    let futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = vec![
        Box::pin(async { guest.run().await.unwrap() }),
        // In the same thread: it can only write when the reader is pending.
        Box::pin(async move {
            napper.run().await.unwrap();
            writer.write_all(b"first").unwrap();
            napper = Guest::new(&mut builder(), NAPS);
            napper.run().await.unwrap();
            writer.write_all(b"second").unwrap();
        }),
    ];
    let (ended, _) = run_all(futures);
    assert_eq!(ended.len(), 2);
    let contents = guest.contents();
    assert_eq!(bytes(&contents, 1, 4), b"first");
    assert_eq!(stdout.contents(), b"done");
}

#[test]
fn who_waits_is_interrupted_or_dropped() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let mut from = builder();
    from.stdin_from(reader);
    let mut guest = Guest::new(&mut from, READS);
    let handle = guest.store.data().wasi.interrupt_handle().unwrap();
    let mut error = None;
    let interrupting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    run_all(vec![Box::pin(async { error = guest.run().await.err() })]);
    assert_eq!(error.unwrap().kind(), ErrorKind::Interrupted);
    interrupting.join().unwrap();
    let mut guest = Guest::new(&mut builder(), SLEEPS);
    let mut call = Box::pin(guest.run());
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(call);
}

#[test]
fn a_synchronous_call_cannot_wait() {
    let mut guest = Guest::new(&mut builder(), NAPS);
    let attack = guest.instance.get_typed_func::<(), ()>(&mut guest.store, "attack").unwrap();
    let error = attack.call(&mut guest.store, ()).unwrap_err();
    assert!(error.root_cause().to_string().contains("`*_async`"), "{error}");
}
