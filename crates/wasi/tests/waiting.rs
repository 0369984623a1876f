//! Waiting: sockets, interruptions, and streams that are closed or full.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use zwasm::{Engine, Error, Linker, Module, Store};
use zwasm_wasi::{Capabilities, I32Exit, InterruptHandle, WasiCtx, WasiCtxBuilder};

/// The functions a guest here may use, and ways to leave with an error number.
const PRELUDE: &str = r#"
    (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_recv"
        (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_send"
        (func $send (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_fdstat_set_flags"
        (func $flags (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    ;; One buffer of 256 bytes at 0x1000.
    (data (i32.const 0) "\00\10\00\00\00\01\00\00")
    (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
    (func $same (param i32 i32)
        (if (i32.ne (local.get 0) (local.get 1))
            (then (call $exit (i32.add (i32.const 1000) (local.get 0))))))
"#;

fn prepare(builder: &mut WasiCtxBuilder, body: &str) -> (Store<WasiCtx>, Linker<WasiCtx>, Module) {
    let engine = Engine::default();
    let text = format!("(module {PRELUDE} (func (export \"_start\") {body}))");
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
    (Store::new(&engine, builder.build()), linker, module)
}

fn run(
    store: &mut Store<WasiCtx>,
    linker: &Linker<WasiCtx>,
    module: &Module,
) -> Result<i32, Error> {
    let instance = linker.instantiate(&mut *store, module)?;
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    match start.call(store, ()) {
        Ok(()) => Ok(0),
        Err(error) => error.downcast_ref::<I32Exit>().map(|exit| exit.0).ok_or(error),
    }
}

/// Runs a guest that has a listener at descriptor 3 beside a client.
fn serve<R: Send>(body: &str, client: impl FnOnce(TcpStream) -> R + Send) -> (i32, R) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).listener(listener);
    let (mut store, linker, module) = prepare(&mut builder, body);
    std::thread::scope(|scope| {
        let client = scope.spawn(move || client(TcpStream::connect(address).unwrap()));
        let code = run(&mut store, &linker, &module).unwrap();
        drop(store);
        (code, client.join().unwrap())
    })
}

#[test]
fn a_server_accepts_receives_and_sends() {
    let body = r#"
        (call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))
        (call $same (i32.load (i32.const 16)) (i32.const 4))
        ;; A look ahead, then everything up to the end.
        (call $must (call $recv (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 1)
            (i32.const 20) (i32.const 24)))
        (i32.store (i32.const 4) (i32.const 5))
        (call $must (call $recv (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 2)
            (i32.const 20) (i32.const 24)))
        (call $same (i32.load (i32.const 20)) (i32.const 5))
        (call $must (call $send (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 0)
            (i32.const 20)))
        (call $must (call $write (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
        (call $must (call $shutdown (i32.const 4) (i32.const 2)))
        (call $must (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
        (call $same (i32.load (i32.const 20)) (i32.const 0))
        (call $must (call $close (i32.const 4)))"#;
    let (code, answer) = serve(body, |mut stream| {
        stream.write_all(b"he").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(b"llo").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert_eq!((code, answer.as_str()), (0, "hellohello"));
}

#[test]
fn a_server_that_does_not_wait_polls() {
    const AGAIN: &str = "(i32.const 6)";
    let body = format!(
        r#"
        (call $must (call $flags (i32.const 3) (i32.const 4)))
        ;; A subscription to reading descriptor 3.
        (i32.store8 (i32.const 0x208) (i32.const 1))
        (i32.store (i32.const 0x210) (i32.const 3))
        (call $must (call $poll (i32.const 0x200) (i32.const 0x300) (i32.const 1) (i32.const 16)))
        (call $same (i32.load (i32.const 16)) (i32.const 1))
        (call $must (call $accept (i32.const 3) (i32.const 4) (i32.const 16)))
        (call $same (call $accept (i32.const 3) (i32.const 4) (i32.const 16)) {AGAIN})
        (call $same (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)) {AGAIN})
        (call $must (call $write (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
        (i32.store (i32.const 0x210) (i32.const 4))
        (call $must (call $poll (i32.const 0x200) (i32.const 0x300) (i32.const 1) (i32.const 16)))
        (call $must (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
        (call $same (i32.load (i32.const 20)) (i32.const 2))"#
    );
    let (code, ()) = serve(&body, |mut stream| {
        stream.read_exact(&mut [0; 256]).unwrap();
        stream.write_all(b"hi").unwrap();
    });
    assert_eq!(code, 0);
}

#[test]
fn a_client_that_is_gone_is_an_error_and_no_signal() {
    const PIPE: i32 = 64;
    const RESET: i32 = 15;
    let body = r#"
        (call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))
        (call $must (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
        (loop $more
            (call $must (call $write (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
            (br $more))"#;
    let (code, ()) = serve(body, |stream| stream.shutdown(Shutdown::Both).unwrap());
    assert!(code == PIPE || code == RESET, "{code}");
}

#[test]
fn sockets_and_other_things_are_not_taken_for_one_another() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).listener(listener);
    let (mut store, linker, module) = prepare(
        &mut builder,
        r#"
        ;; Notconn, Notconn, Badf, Notsock, Badf, Inval.
        (call $same (call $shutdown (i32.const 3) (i32.const 1)) (i32.const 53))
        (call $same (call $recv (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0)
            (i32.const 20) (i32.const 24)) (i32.const 53))
        (call $same (call $write (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 20))
            (i32.const 8))
        (call $same (call $accept (i32.const 0) (i32.const 0) (i32.const 20)) (i32.const 57))
        (call $same (call $accept (i32.const 9) (i32.const 0) (i32.const 20)) (i32.const 8))
        (call $same (call $accept (i32.const 3) (i32.const 1) (i32.const 20)) (i32.const 28))"#,
    );
    assert_eq!(run(&mut store, &linker, &module).unwrap(), 0);
}

#[test]
fn accepting_takes_a_capability() {
    let mut caps = Capabilities::ALL;
    caps.remove(Capabilities::NET);
    let mut builder = WasiCtx::builder();
    builder.caps(caps).listener(TcpListener::bind("127.0.0.1:0").unwrap());
    let body = "(call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))";
    let (mut store, linker, module) = prepare(&mut builder, body);
    const NOTCAPABLE: i32 = 76;
    assert_eq!(run(&mut store, &linker, &module).unwrap(), NOTCAPABLE);
    assert_eq!(store.data().refused(), Capabilities::NET);
}

/// Interrupts a guest a moment after it began to wait, and checks that it ends.
fn interrupt(mut builder: WasiCtxBuilder, body: &str) {
    let (mut store, linker, module) = prepare(&mut builder, body);
    let handle: InterruptHandle = store.data().interrupt_handle().unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            handle.interrupt();
        });
        let error = run(&mut store, &linker, &module).unwrap_err();
        assert!(error.summary().contains("interrupt"), "{error}");
    });
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn sleeping_is_interrupted() {
    // A subscription to the monotonic clock, in an hour.
    let body = r#"
        (i32.store (i32.const 0x210) (i32.const 1))
        (i64.store (i32.const 0x218) (i64.const 3600000000000))
        (call $must (call $poll (i32.const 0x200) (i32.const 0x300) (i32.const 1)
            (i32.const 16)))"#;
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL);
    interrupt(builder, body);
}

#[test]
fn accepting_and_receiving_are_interrupted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accept = "(call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))";
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).listener(listener.try_clone().unwrap());
    interrupt(builder, accept);

    let _client = TcpStream::connect(address).unwrap();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).listener(listener);
    let read = "(call $must (call $read (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))";
    interrupt(builder, &format!("{accept} {read}"));
}

#[test]
fn sending_to_somebody_who_does_not_listen_is_interrupted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).listener(listener);
    let body = r#"
        (call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))
        (i32.store (i32.const 4) (i32.const 32768))
        (i32.store (i32.const 0) (i32.const 0x4000))
        (loop $more
            (call $must (call $write (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 20)))
            (br $more))"#;
    interrupt(builder, body);
}

#[test]
fn reading_standard_input_is_interrupted() {
    let (stdin, _open) = std::io::pipe().unwrap();
    let mut builder = WasiCtx::builder();
    builder.stdin_from(stdin);
    let read = "(call $must (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20)))";
    interrupt(builder, read);
}

#[test]
fn standard_input_from_a_pipe_is_polled_and_read() {
    let (stdin, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"abc").unwrap();
    let mut builder = WasiCtx::builder();
    builder.stdin_from(stdin);
    let body = r#"
        (i32.store8 (i32.const 0x208) (i32.const 1))
        (call $must (call $poll (i32.const 0x200) (i32.const 0x300) (i32.const 1) (i32.const 16)))
        (call $same (i32.load (i32.const 0x310)) (i32.const 3))
        (call $must (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20)))
        (call $same (i32.load (i32.const 20)) (i32.const 3))"#;
    let (mut store, linker, module) = prepare(&mut builder, body);
    assert_eq!(run(&mut store, &linker, &module).unwrap(), 0);
}
