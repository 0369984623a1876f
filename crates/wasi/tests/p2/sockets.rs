//! Sockets: a guest and a peer on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::thread::spawn;
use std::time::{Duration, Instant};

use zwasm_wasi::{Capabilities, WasiCtx, WasiCtxBuilder};

use super::guest::Answer::{Any, Code, Fine, Is};
use super::guest::Arg::{At, I, L, Of, S};
use super::guest::{Arg, Call, Guest, bytes, differences, program, result};

const ACCESS_DENIED: u8 = 1;
const INVALID_ARGUMENT: u8 = 3;
const CONCURRENCY_CONFLICT: u8 = 6;
const NOT_IN_PROGRESS: u8 = 7;
const WOULD_BLOCK: u8 = 8;
const INVALID_STATE: u8 = 9;
const ADDRESS_NOT_BINDABLE: u8 = 11;
const ADDRESS_IN_USE: u8 = 12;
const CONNECTION_REFUSED: u8 = 14;
const NAME_UNRESOLVABLE: u8 = 18;
const PERMANENT_RESOLVER_FAILURE: u8 = 20;

/// The error of a stream that is at its end.
const CLOSED: u8 = 1;

const NETWORK: Call = ("instance-network", &[], &[Any]);
const TCP: Call = ("create-tcp-socket", &[I(0)], &[Fine]);
const UDP: Call = ("create-udp-socket", &[I(0)], &[Fine]);

fn guest(calls: &[Call]) -> Guest {
    let mut builder = WasiCtx::builder();
    builder.allow(Capabilities::NET);
    guest_with(&mut builder, calls)
}

fn guest_with(builder: &mut WasiCtxBuilder, calls: &[Call]) -> Guest {
    Guest::new(builder, &program(calls, "0.2.12"))
}

/// Makes calls that are all answered as expected, and returns the guest's memory.
fn run(calls: &[Call]) -> Vec<u8> {
    let mut guest = guest(calls);
    guest.attack().unwrap();
    let contents = guest.contents();
    assert_eq!(differences(&contents, calls), Vec::<String>::new());
    contents
}

/// Arguments that end in an address of IPv4.
fn address(before: &[Arg], address: SocketAddrV4) -> &'static [Arg] {
    let mut args = before.to_vec();
    args.extend([I(0), I(address.port().into())]);
    args.extend(address.ip().octets().map(|byte| I(byte.into())));
    args.extend([I(0); 6]);
    args.leak()
}

fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

fn port(address: std::net::SocketAddr) -> u16 {
    address.port()
}

/// A port of loopback where nobody is.
fn free() -> u16 {
    port(TcpListener::bind(local(0)).unwrap().local_addr().unwrap())
}

#[test]
fn a_client_talks_to_a_server() {
    let listener = TcpListener::bind(local(0)).unwrap();
    let to = local(port(listener.local_addr().unwrap()));
    let server = spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(b"world").unwrap();
        // The guest says that it sends no more.
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        (got, port(peer))
    });
    let calls = [
        NETWORK,
        TCP,
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], to), &[Fine]),
        ("tcp-socket.subscribe", &[Of(1)], &[Any]),
        ("pollable.block", &[Of(3)], &[Any]),
        ("tcp-socket.finish-connect", &[Of(1)], &[Fine]),
        ("blocking-write-and-flush", &[At(5, 8), S("hello")], &[Fine]),
        ("input-stream.blocking-read", &[At(5, 4), L(100)], &[Fine]),
        ("tcp-socket.local-address", &[Of(1)], &[Fine]),
        ("tcp-socket.remote-address", &[Of(1)], &[Fine]),
        ("tcp-socket.shutdown", &[Of(1), I(1)], &[Fine]),
        ("check-write", &[At(5, 8)], &[Code(CLOSED)]),
        ("input-stream.blocking-read", &[At(5, 4), L(100)], &[Code(CLOSED)]),
        ("input-stream.read", &[At(5, 4), L(100)], &[Code(CLOSED)]),
        ("tcp-socket.is-listening", &[Of(1)], &[Is(0)]),
        ("tcp-socket.finish-connect", &[Of(1)], &[Code(NOT_IN_PROGRESS)]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], to), &[Code(INVALID_STATE)]),
        ("tcp-socket.start-listen", &[Of(1)], &[Code(INVALID_STATE)]),
        ("pollable_drop", &[Of(3)], &[Any]),
        ("input-stream_drop", &[At(5, 4)], &[Any]),
        ("output-stream_drop", &[At(5, 8)], &[Any]),
        ("tcp-socket_drop", &[Of(1)], &[Any]),
    ];
    let contents = run(&calls);
    assert_eq!(bytes(&contents, 7, 4), b"world");
    let (got, from) = server.join().unwrap();
    assert_eq!(&got, b"hello");
    let address_of = |call| {
        let result = result(&contents, call);
        (
            u16::from_le_bytes([result[8], result[9]]),
            [result[10], result[11], result[12], result[13]],
        )
    };
    assert_eq!(address_of(8), (from, [127, 0, 0, 1]));
    assert_eq!(address_of(9), (to.port(), [127, 0, 0, 1]));
}

#[test]
fn a_server_answers_a_client() {
    let at = local(free());
    let client = spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut stream = loop {
            match TcpStream::connect(at) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        stream.write_all(b"hello").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    run(&[
        NETWORK,
        TCP,
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], at), &[Fine]),
        ("tcp-socket.start-listen", &[Of(1)], &[Code(CONCURRENCY_CONFLICT)]),
        ("tcp-socket.finish-bind", &[Of(1)], &[Fine]),
        ("tcp-socket.accept", &[Of(1)], &[Code(INVALID_STATE)]),
        ("tcp-socket.set-listen-backlog-size", &[Of(1), L(4)], &[Fine]),
        ("tcp-socket.start-listen", &[Of(1)], &[Fine]),
        ("tcp-socket.finish-listen", &[Of(1)], &[Fine]),
        ("tcp-socket.is-listening", &[Of(1)], &[Is(1)]),
        ("tcp-socket.set-listen-backlog-size", &[Of(1), L(8)], &[Fine]),
        ("tcp-socket.subscribe", &[Of(1)], &[Any]),
        ("pollable.block", &[Of(11)], &[Any]),
        ("tcp-socket.accept", &[Of(1)], &[Fine]),
        ("tcp-socket.accept", &[Of(1)], &[Code(WOULD_BLOCK)]),
        ("input-stream.blocking-read", &[At(13, 8), L(5)], &[Fine]),
        ("blocking-write-and-flush", &[At(13, 12), S("and bye")], &[Fine]),
        ("tcp-socket.shutdown", &[Of(13), I(2)], &[Fine]),
        ("input-stream.read", &[At(13, 8), L(5)], &[Code(CLOSED)]),
        ("tcp-socket.remote-address", &[Of(1)], &[Code(INVALID_STATE)]),
        ("tcp-socket.shutdown", &[Of(1), I(2)], &[Code(INVALID_STATE)]),
    ]);
    assert_eq!(client.join().unwrap(), "and bye");
}

#[test]
fn a_socket_is_used_in_order() {
    let (nowhere, taken) = (local(free()), TcpListener::bind(local(0)).unwrap());
    let taken_port = local(port(taken.local_addr().unwrap()));
    let other = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 0);
    let many = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 1), 80);
    let none = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 80);
    run(&[
        NETWORK,
        TCP,
        ("tcp-socket.finish-bind", &[Of(1)], &[Code(NOT_IN_PROGRESS)]),
        ("tcp-socket.finish-listen", &[Of(1)], &[Code(NOT_IN_PROGRESS)]),
        ("tcp-socket.finish-connect", &[Of(1)], &[Code(NOT_IN_PROGRESS)]),
        ("tcp-socket.local-address", &[Of(1)], &[Code(INVALID_STATE)]),
        ("tcp-socket.remote-address", &[Of(1)], &[Code(INVALID_STATE)]),
        ("tcp-socket.start-listen", &[Of(1)], &[Code(INVALID_STATE)]),
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], other), &[Code(ADDRESS_NOT_BINDABLE)]),
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], many), &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], taken_port), &[Code(ADDRESS_IN_USE)]),
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], local(0)), &[Fine]),
        ("tcp-socket.finish-bind", &[Of(1)], &[Fine]),
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], local(0)), &[Code(INVALID_STATE)]),
        ("tcp-socket.local-address", &[Of(1)], &[Fine]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], none), &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], local(0)), &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], many), &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], nowhere), &[Fine]),
        (
            "tcp-socket.start-connect",
            address(&[Of(1), Of(0)], nowhere),
            &[Code(CONCURRENCY_CONFLICT)],
        ),
        ("tcp-socket.subscribe", &[Of(1)], &[Any]),
        ("pollable.block", &[Of(20)], &[Any]),
        ("tcp-socket.finish-connect", &[Of(1)], &[Code(CONNECTION_REFUSED)]),
        ("pollable.ready", &[Of(20)], &[Is(1)]),
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], nowhere), &[Code(INVALID_STATE)]),
        ("tcp-socket.hop-limit", &[Of(1)], &[Code(CONNECTION_REFUSED)]),
    ]);
}

#[test]
fn options_are_set_and_read() {
    run(&[
        TCP,
        ("tcp-socket.address-family", &[Of(0)], &[Is(0)]),
        ("tcp-socket.set-hop-limit", &[Of(0), I(0)], &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.set-hop-limit", &[Of(0), I(42)], &[Fine]),
        ("tcp-socket.hop-limit", &[Of(0)], &[Is(42 << 8)]),
        ("tcp-socket.set-keep-alive-enabled", &[Of(0), I(1)], &[Fine]),
        ("tcp-socket.keep-alive-enabled", &[Of(0)], &[Is(1 << 8)]),
        ("tcp-socket.set-keep-alive-idle-time", &[Of(0), L(0)], &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.set-keep-alive-idle-time", &[Of(0), L(1)], &[Fine]),
        ("tcp-socket.keep-alive-idle-time", &[Of(0)], &[Fine]),
        ("tcp-socket.set-keep-alive-interval", &[Of(0), L(0)], &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.set-keep-alive-interval", &[Of(0), L(u64::MAX)], &[Fine]),
        ("tcp-socket.keep-alive-interval", &[Of(0)], &[Fine]),
        ("tcp-socket.set-keep-alive-count", &[Of(0), I(0)], &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.set-keep-alive-count", &[Of(0), I(7)], &[Fine]),
        ("tcp-socket.keep-alive-count", &[Of(0)], &[Is(7 << 32)]),
        ("tcp-socket.set-receive-buffer-size", &[Of(0), L(0)], &[Code(INVALID_ARGUMENT)]),
        ("tcp-socket.set-receive-buffer-size", &[Of(0), L(u64::MAX)], &[Fine]),
        ("tcp-socket.receive-buffer-size", &[Of(0)], &[Fine]),
        ("tcp-socket.set-send-buffer-size", &[Of(0), L(65536)], &[Fine]),
        ("tcp-socket.send-buffer-size", &[Of(0)], &[Fine]),
        ("tcp-socket.set-listen-backlog-size", &[Of(0), L(0)], &[Code(INVALID_ARGUMENT)]),
        UDP,
        ("udp-socket.address-family", &[Of(22)], &[Is(0)]),
        ("udp-socket.set-unicast-hop-limit", &[Of(22), I(0)], &[Code(INVALID_ARGUMENT)]),
        ("udp-socket.set-unicast-hop-limit", &[Of(22), I(9)], &[Fine]),
        ("udp-socket.unicast-hop-limit", &[Of(22)], &[Is(9 << 8)]),
        ("udp-socket.set-receive-buffer-size", &[Of(22), L(0)], &[Code(INVALID_ARGUMENT)]),
        ("udp-socket.set-receive-buffer-size", &[Of(22), L(4096)], &[Fine]),
        ("udp-socket.receive-buffer-size", &[Of(22)], &[Fine]),
        ("udp-socket.set-send-buffer-size", &[Of(22), L(1)], &[Fine]),
        ("udp-socket.send-buffer-size", &[Of(22)], &[Fine]),
    ]);
}

/// Arguments that are a socket and no address.
const ANYBODY: &[Arg] =
    &[Of(1), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0), I(0)];

#[test]
fn datagrams_come_and_go() {
    let peer = UdpSocket::bind(local(0)).unwrap();
    let to = local(port(peer.local_addr().unwrap()));
    let at = local(port(UdpSocket::bind(local(0)).unwrap().local_addr().unwrap()));
    let friend = address(&[Of(1), I(1)], to);
    let peer_thread = spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        peer.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        // What is sent before the guest is there is lost.
        let mut buffer = [0; 64];
        loop {
            peer.send_to(b"hello", at).unwrap();
            match peer.recv_from(&mut buffer) {
                Ok((len, whose)) => return (buffer[..len].to_vec(), port(whose)),
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
        }
    });
    let contents = run(&[
        NETWORK,
        UDP,
        ("udp-socket.stream", ANYBODY, &[Code(INVALID_STATE)]),
        ("udp-socket.local-address", &[Of(1)], &[Code(INVALID_STATE)]),
        ("udp-socket.finish-bind", &[Of(1)], &[Code(NOT_IN_PROGRESS)]),
        ("udp-socket.start-bind", address(&[Of(1), Of(0)], at), &[Fine]),
        ("udp-socket.start-bind", address(&[Of(1), Of(0)], at), &[Code(CONCURRENCY_CONFLICT)]),
        ("udp-socket.finish-bind", &[Of(1)], &[Fine]),
        ("udp-socket.start-bind", address(&[Of(1), Of(0)], at), &[Code(INVALID_STATE)]),
        ("udp-socket.stream", friend, &[Fine]),
        ("udp-socket.remote-address", &[Of(1)], &[Fine]),
        ("incoming-datagram-stream.subscribe", &[At(9, 4)], &[Any]),
        ("pollable.block", &[Of(11)], &[Any]),
        ("incoming-datagram-stream.receive", &[At(9, 4), L(0)], &[Fine]),
        ("incoming-datagram-stream.receive", &[At(9, 4), L(1)], &[Fine]),
        ("check-send", &[At(9, 8)], &[Fine]),
        // Nothing, and then one datagram, which lies at 0 and is all zeros: empty, to whom
        // the socket is connected to.
        ("outgoing-datagram-stream.send", &[At(9, 8), I(0), I(0)], &[Fine]),
        ("outgoing-datagram-stream.send", &[At(9, 8), I(0x800), I(1)], &[Fine]),
        ("incoming-datagram-stream_drop", &[At(9, 4)], &[]),
    ][..18]);
    let datagram = bytes(&contents, 14, 4).as_ptr() as usize - contents.as_ptr() as usize;
    let word = |at: usize| u32::from_le_bytes(contents[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&contents[word(datagram)..][..word(datagram + 4)], b"hello");
    assert_eq!(peer_thread.join().unwrap(), (Vec::new(), at.port()));
}

#[test]
fn sending_datagrams_takes_leave_and_streams_are_one_pair() {
    let at = local(0);
    let start: [Call; 4] = [
        NETWORK,
        UDP,
        ("udp-socket.start-bind", address(&[Of(1), Of(0)], at), &[Fine]),
        ("udp-socket.finish-bind", &[Of(1)], &[Fine]),
    ];
    let ends = |rest: &[Call], why: &str| {
        let calls: Vec<Call> = start.iter().chain(rest).copied().collect();
        let error = guest(&calls).attack().unwrap_err().summary();
        assert!(error.contains(why), "{error}");
    };
    let stream: Call = ("udp-socket.stream", ANYBODY, &[Fine]);
    ends(&[stream, stream], "has not dropped");
    let send: Call = ("outgoing-datagram-stream.send", &[At(4, 8), I(0x800), I(1)], &[Any]);
    ends(&[stream, send], "was permitted 0 datagrams, and not 1");
}

#[test]
fn names_are_looked_up() {
    run(&[
        NETWORK,
        ("resolve-addresses", &[Of(0), S("127.0.0.1")], &[Fine]),
        ("resolve-next-address", &[Of(1)], &[Fine]),
        ("resolve-next-address", &[Of(1)], &[Is(0)]),
        ("resolve-addresses", &[Of(0), S("localhost")], &[Fine]),
        ("resolve-address-stream.subscribe", &[Of(4)], &[Any]),
        ("pollable.block", &[Of(5)], &[Any]),
        ("resolve-next-address", &[Of(4)], &[Fine]),
        ("resolve-addresses", &[Of(0), S("no-such-host.invalid")], &[Fine]),
        ("resolve-address-stream.subscribe", &[Of(8)], &[Any]),
        ("pollable.block", &[Of(9)], &[Any]),
        ("resolve-next-address", &[Of(8)], &[Code(NAME_UNRESOLVABLE)]),
        ("resolve-addresses", &[Of(0), S("a b")], &[Code(INVALID_ARGUMENT)]),
        ("resolve-addresses", &[Of(0), S("")], &[Code(INVALID_ARGUMENT)]),
    ]);
}

#[test]
fn all_of_it_takes_a_capability() {
    let mut builder = WasiCtx::builder();
    builder.allow(Capabilities::HTTP);
    let calls: [Call; 5] = [
        NETWORK,
        ("create-tcp-socket", &[I(0)], &[Code(ACCESS_DENIED)]),
        ("create-udp-socket", &[I(1)], &[Code(ACCESS_DENIED)]),
        ("resolve-addresses", &[Of(0), S("127.0.0.1")], &[Code(PERMANENT_RESOLVER_FAILURE)]),
        ("resolve-addresses", &[Of(0), S("localhost")], &[Code(PERMANENT_RESOLVER_FAILURE)]),
    ];
    let mut guest = guest_with(&mut builder, &calls);
    guest.attack().unwrap();
    let contents = guest.contents();
    assert_eq!(differences(&contents, &calls), Vec::<String>::new());
    assert_eq!(guest.store.data().wasi.refused(), Capabilities::NET);
}

#[test]
fn waiting_for_a_connection_is_interrupted() {
    let calls: [Call; 8] = [
        NETWORK,
        TCP,
        ("tcp-socket.start-bind", address(&[Of(1), Of(0)], local(0)), &[Fine]),
        ("tcp-socket.finish-bind", &[Of(1)], &[Fine]),
        ("tcp-socket.start-listen", &[Of(1)], &[Fine]),
        ("tcp-socket.finish-listen", &[Of(1)], &[Fine]),
        ("tcp-socket.subscribe", &[Of(1)], &[Any]),
        ("pollable.block", &[Of(6)], &[Any]),
    ];
    let mut guest = guest(&calls);
    let handle = guest.store.data().wasi.interrupt_handle().unwrap();
    let interrupter = spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    let error = guest.attack().unwrap_err();
    assert!(error.summary().contains("interrupt"), "{error}");
    interrupter.join().unwrap();
}

#[test]
fn streams_do_not_outlive_their_socket() {
    let listener = TcpListener::bind(local(0)).unwrap();
    let to = local(port(listener.local_addr().unwrap()));
    let calls: [Call; 7] = [
        NETWORK,
        TCP,
        ("tcp-socket.start-connect", address(&[Of(1), Of(0)], to), &[Fine]),
        ("tcp-socket.subscribe", &[Of(1)], &[Any]),
        ("pollable.block", &[Of(3)], &[Any]),
        ("tcp-socket.finish-connect", &[Of(1)], &[Fine]),
        ("tcp-socket_drop", &[Of(1)], &[Any]),
    ];
    let error = guest(&calls).attack().unwrap_err();
    assert!(error.summary().contains("children"), "{error}");
}
