//! Components made in text: programs of a few calls, so that a case is a few lines and
//! needs no toolchain.

use std::fmt::Write;

use zwasm::{Engine, Result, Store};
use zwasm_component::{Component, Instance, InstancePre, Linker, ResourceTable};
use zwasm_wasi::p2::{WasiCtxView, WasiView, add_to_linker_sync};
use zwasm_wasi::{WasiCtx, WasiCtxBuilder};

/// What the component imports.
const WORLD: &str = concat!(include_str!("world.wat"), include_str!("network.wat"));

/// The version that it is written in.
const VERSION: &str = "0.2.12";

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    I(u32),
    L(u64),
    /// A string: becomes its address and its length.
    S(&'static str),
    /// Bytes from somewhere in memory: an address and this length.
    Bytes(u32),
    /// The preopened directory of this number.
    Dir(u32),
    /// The handle that the call of this number gave.
    Of(usize),
    /// The one that lies so far into its result.
    At(usize, u32),
    /// A list of such handles.
    List(&'static [usize]),
}

/// One call: the function, its arguments but for where the result goes, and what it may
/// answer.
pub type Call = (&'static str, &'static [Arg], &'static [Answer]);

/// What a call answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Success, or a number that is not looked at.
    Any,
    /// A result that is good.
    Fine,
    /// An error with this number.
    Code(u8),
    /// This number.
    Is(u64),
}

/// The functions: interface, name, core parameters and result, and where in a result
/// the payload is. Names that end in `_drop` drop resources.
#[rustfmt::skip]
pub const FUNCTIONS: &[(&str, &str, &str, &str, u32)] = &[
    ("wasi:cli/environment", "get-environment", "i32", "", 0),
    ("wasi:cli/environment", "get-arguments", "i32", "", 0),
    ("wasi:cli/environment", "initial-cwd", "i32", "", 0),
    ("wasi:cli/exit", "exit", "i32", "", 0),
    ("wasi:cli/exit", "exit-with-code", "i32", "", 0),
    ("wasi:io/error", "[method]error.to-debug-string", "i32 i32", "", 0),
    ("wasi:io/error", "error_drop", "i32", "", 0),
    ("wasi:io/poll", "[method]pollable.ready", "i32", "i32", 0),
    ("wasi:io/poll", "[method]pollable.block", "i32", "", 0),
    ("wasi:io/poll", "poll", "i32 i32 i32", "", 0),
    ("wasi:io/poll", "pollable_drop", "i32", "", 0),
    ("wasi:io/streams", "[method]input-stream.read", "i32 i64 i32", "", 4),
    ("wasi:io/streams", "[method]input-stream.blocking-read", "i32 i64 i32", "", 4),
    ("wasi:io/streams", "[method]input-stream.skip", "i32 i64 i32", "", 8),
    ("wasi:io/streams", "[method]input-stream.blocking-skip", "i32 i64 i32", "", 8),
    ("wasi:io/streams", "[method]input-stream.subscribe", "i32", "i32", 0),
    ("wasi:io/streams", "[method]output-stream.check-write", "i32 i32", "", 8),
    ("wasi:io/streams", "[method]output-stream.write", "i32 i32 i32 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.blocking-write-and-flush", "i32 i32 i32 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.flush", "i32 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.blocking-flush", "i32 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.subscribe", "i32", "i32", 0),
    ("wasi:io/streams", "[method]output-stream.write-zeroes", "i32 i64 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.blocking-write-zeroes-and-flush", "i32 i64 i32", "", 4),
    ("wasi:io/streams", "[method]output-stream.splice", "i32 i32 i64 i32", "", 8),
    ("wasi:io/streams", "[method]output-stream.blocking-splice", "i32 i32 i64 i32", "", 8),
    ("wasi:io/streams", "input-stream_drop", "i32", "", 0),
    ("wasi:io/streams", "output-stream_drop", "i32", "", 0),
    ("wasi:cli/stdin", "get-stdin", "", "i32", 0),
    ("wasi:cli/stdout", "get-stdout", "", "i32", 0),
    ("wasi:cli/stderr", "get-stderr", "", "i32", 0),
    ("wasi:cli/terminal-input", "terminal-input_drop", "i32", "", 0),
    ("wasi:cli/terminal-output", "terminal-output_drop", "i32", "", 0),
    ("wasi:cli/terminal-stdin", "get-terminal-stdin", "i32", "", 4),
    ("wasi:cli/terminal-stdout", "get-terminal-stdout", "i32", "", 4),
    ("wasi:cli/terminal-stderr", "get-terminal-stderr", "i32", "", 4),
    ("wasi:clocks/monotonic-clock", "now", "", "i64", 0),
    ("wasi:clocks/monotonic-clock", "resolution", "", "i64", 0),
    ("wasi:clocks/monotonic-clock", "subscribe-instant", "i64", "i32", 0),
    ("wasi:clocks/monotonic-clock", "subscribe-duration", "i64", "i32", 0),
    ("wasi:clocks/wall-clock", "now", "i32", "", 0),
    ("wasi:clocks/wall-clock", "resolution", "i32", "", 0),
    ("wasi:clocks/timezone", "display", "i64 i32 i32", "", 0),
    ("wasi:clocks/timezone", "utc-offset", "i64 i32", "i32", 0),
    ("wasi:filesystem/types", "[method]descriptor.read-via-stream", "i32 i64 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.write-via-stream", "i32 i64 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.append-via-stream", "i32 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.advise", "i32 i64 i64 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.sync-data", "i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.get-flags", "i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.get-type", "i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.set-size", "i32 i64 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.set-times", "i32 i32 i64 i32 i32 i64 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.read", "i32 i64 i64 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.write", "i32 i32 i32 i64 i32", "", 8),
    ("wasi:filesystem/types", "[method]descriptor.read-directory", "i32 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.sync", "i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.create-directory-at", "i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.stat", "i32 i32", "", 8),
    ("wasi:filesystem/types", "[method]descriptor.stat-at", "i32 i32 i32 i32 i32", "", 8),
    ("wasi:filesystem/types", "[method]descriptor.set-times-at", "i32 i32 i32 i32 i32 i64 i32 i32 i64 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.link-at", "i32 i32 i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.open-at", "i32 i32 i32 i32 i32 i32 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.readlink-at", "i32 i32 i32 i32", "", 4),
    ("wasi:filesystem/types", "[method]descriptor.remove-directory-at", "i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.rename-at", "i32 i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.symlink-at", "i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.unlink-file-at", "i32 i32 i32 i32", "", 1),
    ("wasi:filesystem/types", "[method]descriptor.is-same-object", "i32 i32", "i32", 0),
    ("wasi:filesystem/types", "[method]descriptor.metadata-hash", "i32 i32", "", 8),
    ("wasi:filesystem/types", "[method]descriptor.metadata-hash-at", "i32 i32 i32 i32 i32", "", 8),
    ("wasi:filesystem/types", "[method]directory-entry-stream.read-directory-entry", "i32 i32", "", 4),
    ("wasi:filesystem/types", "filesystem-error-code", "i32 i32", "", 1),
    ("wasi:filesystem/types", "descriptor_drop", "i32", "", 0),
    ("wasi:filesystem/types", "directory-entry-stream_drop", "i32", "", 0),
    ("wasi:filesystem/preopens", "get-directories", "i32", "", 0),
    ("wasi:random/random", "get-random-bytes", "i64 i32", "", 0),
    ("wasi:random/random", "get-random-u64", "", "i64", 0),
    ("wasi:random/insecure", "get-insecure-random-bytes", "i64 i32", "", 0),
    ("wasi:random/insecure", "get-insecure-random-u64", "", "i64", 0),
    ("wasi:random/insecure-seed", "insecure-seed", "i32", "", 0),
    ("wasi:sockets/network", "network-error-code", "i32 i32", "", 0),
    ("wasi:sockets/network", "network_drop", "i32", "", 0),
    ("wasi:sockets/instance-network", "instance-network", "", "i32", 0),
    ("wasi:sockets/tcp", "[method]tcp-socket.start-bind", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.finish-bind", "i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.start-connect", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.finish-connect", "i32 i32", "", 4),
    ("wasi:sockets/tcp", "[method]tcp-socket.start-listen", "i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.finish-listen", "i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.accept", "i32 i32", "", 4),
    ("wasi:sockets/tcp", "[method]tcp-socket.local-address", "i32 i32", "", 4),
    ("wasi:sockets/tcp", "[method]tcp-socket.remote-address", "i32 i32", "", 4),
    ("wasi:sockets/tcp", "[method]tcp-socket.is-listening", "i32", "i32", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.address-family", "i32", "i32", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-listen-backlog-size", "i32 i64 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.keep-alive-enabled", "i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-keep-alive-enabled", "i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.keep-alive-idle-time", "i32 i32", "", 8),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-keep-alive-idle-time", "i32 i64 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.keep-alive-interval", "i32 i32", "", 8),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-keep-alive-interval", "i32 i64 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.keep-alive-count", "i32 i32", "", 4),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-keep-alive-count", "i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.hop-limit", "i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-hop-limit", "i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.receive-buffer-size", "i32 i32", "", 8),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-receive-buffer-size", "i32 i64 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.send-buffer-size", "i32 i32", "", 8),
    ("wasi:sockets/tcp", "[method]tcp-socket.set-send-buffer-size", "i32 i64 i32", "", 1),
    ("wasi:sockets/tcp", "[method]tcp-socket.subscribe", "i32", "i32", 0),
    ("wasi:sockets/tcp", "[method]tcp-socket.shutdown", "i32 i32 i32", "", 1),
    ("wasi:sockets/tcp", "tcp-socket_drop", "i32", "", 0),
    ("wasi:sockets/tcp-create-socket", "create-tcp-socket", "i32 i32", "", 4),
    ("wasi:sockets/udp", "[method]udp-socket.start-bind", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.finish-bind", "i32 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.stream", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32", "", 4),
    ("wasi:sockets/udp", "[method]udp-socket.local-address", "i32 i32", "", 4),
    ("wasi:sockets/udp", "[method]udp-socket.remote-address", "i32 i32", "", 4),
    ("wasi:sockets/udp", "[method]udp-socket.address-family", "i32", "i32", 0),
    ("wasi:sockets/udp", "[method]udp-socket.unicast-hop-limit", "i32 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.set-unicast-hop-limit", "i32 i32 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.receive-buffer-size", "i32 i32", "", 8),
    ("wasi:sockets/udp", "[method]udp-socket.set-receive-buffer-size", "i32 i64 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.send-buffer-size", "i32 i32", "", 8),
    ("wasi:sockets/udp", "[method]udp-socket.set-send-buffer-size", "i32 i64 i32", "", 1),
    ("wasi:sockets/udp", "[method]udp-socket.subscribe", "i32", "i32", 0),
    ("wasi:sockets/udp", "[method]incoming-datagram-stream.receive", "i32 i64 i32", "", 4),
    ("wasi:sockets/udp", "[method]incoming-datagram-stream.subscribe", "i32", "i32", 0),
    ("wasi:sockets/udp", "[method]outgoing-datagram-stream.check-send", "i32 i32", "", 8),
    ("wasi:sockets/udp", "[method]outgoing-datagram-stream.send", "i32 i32 i32 i32", "", 8),
    ("wasi:sockets/udp", "[method]outgoing-datagram-stream.subscribe", "i32", "i32", 0),
    ("wasi:sockets/udp", "udp-socket_drop", "i32", "", 0),
    ("wasi:sockets/udp", "incoming-datagram-stream_drop", "i32", "", 0),
    ("wasi:sockets/udp", "outgoing-datagram-stream_drop", "i32", "", 0),
    ("wasi:sockets/udp-create-socket", "create-udp-socket", "i32 i32", "", 4),
    ("wasi:sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address", "i32 i32", "", 2),
    ("wasi:sockets/ip-name-lookup", "[method]resolve-address-stream.subscribe", "i32", "i32", 0),
    ("wasi:sockets/ip-name-lookup", "resolve-addresses", "i32 i32 i32 i32", "", 4),
    ("wasi:sockets/ip-name-lookup", "resolve-address-stream_drop", "i32", "", 0),
    ("wasi:http/types", "[constructor]fields", "", "i32", 0),
    ("wasi:http/types", "[static]fields.from-list", "i32 i32 i32", "", 4),
    ("wasi:http/types", "[method]fields.get", "i32 i32 i32 i32", "", 0),
    ("wasi:http/types", "[method]fields.has", "i32 i32 i32", "i32", 0),
    ("wasi:http/types", "[method]fields.set", "i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:http/types", "[method]fields.delete", "i32 i32 i32 i32", "", 1),
    ("wasi:http/types", "[method]fields.append", "i32 i32 i32 i32 i32 i32", "", 1),
    ("wasi:http/types", "[method]fields.entries", "i32 i32", "", 0),
    ("wasi:http/types", "[method]fields.clone", "i32", "i32", 0),
    ("wasi:http/types", "[method]incoming-request.method", "i32 i32", "", 0),
    ("wasi:http/types", "[method]incoming-request.path-with-query", "i32 i32", "", 0),
    ("wasi:http/types", "[method]incoming-request.scheme", "i32 i32", "", 0),
    ("wasi:http/types", "[method]incoming-request.authority", "i32 i32", "", 0),
    ("wasi:http/types", "[method]incoming-request.headers", "i32", "i32", 0),
    ("wasi:http/types", "[method]incoming-request.consume", "i32 i32", "", 4),
    ("wasi:http/types", "[constructor]outgoing-request", "i32", "i32", 0),
    ("wasi:http/types", "[method]outgoing-request.body", "i32 i32", "", 4),
    ("wasi:http/types", "[method]outgoing-request.method", "i32 i32", "", 0),
    ("wasi:http/types", "[method]outgoing-request.set-method", "i32 i32 i32 i32", "i32", 1),
    ("wasi:http/types", "[method]outgoing-request.path-with-query", "i32 i32", "", 0),
    ("wasi:http/types", "[method]outgoing-request.set-path-with-query", "i32 i32 i32 i32", "i32", 1),
    ("wasi:http/types", "[method]outgoing-request.scheme", "i32 i32", "", 0),
    ("wasi:http/types", "[method]outgoing-request.set-scheme", "i32 i32 i32 i32 i32", "i32", 1),
    ("wasi:http/types", "[method]outgoing-request.authority", "i32 i32", "", 0),
    ("wasi:http/types", "[method]outgoing-request.set-authority", "i32 i32 i32 i32", "i32", 1),
    ("wasi:http/types", "[method]outgoing-request.headers", "i32", "i32", 0),
    ("wasi:http/types", "[constructor]request-options", "", "i32", 0),
    ("wasi:http/types", "[method]request-options.connect-timeout", "i32 i32", "", 0),
    ("wasi:http/types", "[method]request-options.set-connect-timeout", "i32 i32 i64", "i32", 1),
    ("wasi:http/types", "[method]request-options.first-byte-timeout", "i32 i32", "", 0),
    ("wasi:http/types", "[method]request-options.set-first-byte-timeout", "i32 i32 i64", "i32", 1),
    ("wasi:http/types", "[method]request-options.between-bytes-timeout", "i32 i32", "", 0),
    ("wasi:http/types", "[method]request-options.set-between-bytes-timeout", "i32 i32 i64", "i32", 1),
    ("wasi:http/types", "[method]response-outparam.send-informational", "i32 i32 i32 i32", "", 8),
    ("wasi:http/types", "[static]response-outparam.set", "i32 i32 i32 i32 i64 i32 i32 i32 i32", "", 1),
    ("wasi:http/types", "[method]incoming-response.status", "i32", "i32", 0),
    ("wasi:http/types", "[method]incoming-response.headers", "i32", "i32", 0),
    ("wasi:http/types", "[method]incoming-response.consume", "i32 i32", "", 4),
    ("wasi:http/types", "[method]incoming-body.stream", "i32 i32", "", 4),
    ("wasi:http/types", "[static]incoming-body.finish", "i32", "i32", 0),
    ("wasi:http/types", "[method]future-trailers.subscribe", "i32", "i32", 0),
    ("wasi:http/types", "[method]future-trailers.get", "i32 i32", "", 28),
    ("wasi:http/types", "[constructor]outgoing-response", "i32", "i32", 0),
    ("wasi:http/types", "[method]outgoing-response.status-code", "i32", "i32", 0),
    ("wasi:http/types", "[method]outgoing-response.set-status-code", "i32 i32", "i32", 1),
    ("wasi:http/types", "[method]outgoing-response.headers", "i32", "i32", 0),
    ("wasi:http/types", "[method]outgoing-response.body", "i32 i32", "", 4),
    ("wasi:http/types", "[method]outgoing-body.write", "i32 i32", "", 4),
    ("wasi:http/types", "[static]outgoing-body.finish", "i32 i32 i32 i32", "", 8),
    ("wasi:http/types", "[method]future-incoming-response.subscribe", "i32", "i32", 0),
    ("wasi:http/types", "[method]future-incoming-response.get", "i32 i32", "", 24),
    ("wasi:http/types", "http-error-code", "i32 i32", "", 0),
    ("wasi:http/types", "fields_drop", "i32", "", 0),
    ("wasi:http/types", "incoming-request_drop", "i32", "", 0),
    ("wasi:http/types", "outgoing-request_drop", "i32", "", 0),
    ("wasi:http/types", "request-options_drop", "i32", "", 0),
    ("wasi:http/types", "response-outparam_drop", "i32", "", 0),
    ("wasi:http/types", "incoming-response_drop", "i32", "", 0),
    ("wasi:http/types", "incoming-body_drop", "i32", "", 0),
    ("wasi:http/types", "future-trailers_drop", "i32", "", 0),
    ("wasi:http/types", "outgoing-response_drop", "i32", "", 0),
    ("wasi:http/types", "outgoing-body_drop", "i32", "", 0),
    ("wasi:http/types", "future-incoming-response_drop", "i32", "", 0),
    ("wasi:http/outgoing-handler", "handle", "i32 i32 i32 i32", "", 8),
];

/// Where the results of calls go: of each call [`SLOT`] bytes.
const RESULTS: u32 = 0x1000;
const SLOT: u32 = 128;
const STRINGS: u32 = 0x8000;
const LISTS: u32 = 0xf000;
/// What the host hands in lies behind this address.
const HEAP: u32 = 0x1_0000;

/// The place of a function in [`FUNCTIONS`].
fn find(name: &str) -> usize {
    let is = |function: &&(&str, &str, &str, &str, u32)| {
        let short = function.1.rsplit_once('.').map_or(function.1, |(_, short)| short);
        let plain = function.1.split_once(']').map_or(function.1, |(_, plain)| plain);
        let in_interface = format!("{}.{short}", function.0.rsplit_once('/').unwrap().1);
        function.1 == name || plain == name || short == name || in_interface == name
    };
    let found: Vec<_> = FUNCTIONS.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "functions named {name}");
    FUNCTIONS.iter().position(|function| is(&function)).unwrap()
}

/// Where the handle is that a call gave, and how.
fn result_of(calls: &[Call], index: usize) -> String {
    let (.., payload) = FUNCTIONS[find(calls[index].0)];
    format!("(i32.load (i32.const {}))", RESULTS + SLOT * index as u32 + payload)
}

/// A component that makes `calls`, the first of which is to be `get-directories` if any
/// is of one. It imports all that there is, in this version; for each function that it
/// imports it exports one, `call-` and its number, that passes numbers on as they are.
pub fn program(calls: &[Call], version: &str) -> String {
    let mut text = format!(
        "(component\n{WORLD}
  (core module $libc
    (memory (export \"memory\") 4)
    (global $next (mut i32) (i32.const {HEAP}))
    (func (export \"realloc\") (param $old i32) (param i32) (param $align i32) (param $size i32)
      (result i32) (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (block $fits (loop $grow
        (br_if $fits (i32.le_u (global.get $next)
          (i32.mul (memory.size) (i32.const 65536))))
        (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        (unreachable)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc \"memory\" (core memory $memory))
  (alias core export $libc \"realloc\" (core func $realloc))\n"
    );
    let (mut imports, mut exports) = (String::new(), String::new());
    let (mut forwards, mut lifted) = (String::new(), String::new());
    for (index, (interface, name, params, result, _)) in FUNCTIONS.iter().enumerate() {
        let instance = format!("${interface}@{VERSION}");
        let _ = match name.strip_suffix("_drop") {
            Some(resource) => writeln!(
                text,
                "  (alias export {instance} \"{resource}\" (type $drop-{index}))
  (core func $f{index} (canon resource.drop $drop-{index}))"
            ),
            None => writeln!(
                text,
                "  (core func $f{index} (canon lower (func {instance} \"{name}\")
    (memory $memory) (realloc $realloc)))"
            ),
        };
        let result = if result.is_empty() { String::new() } else { format!("(result {result})") };
        let _ = writeln!(
            imports,
            "    (import \"f\" \"{index}\" (func $f{index} (param {params}) {result}))"
        );
        let _ = writeln!(exports, "    (export \"{index}\" (func $f{index}))");
        let (mut longs, mut words, mut numbers) = (String::new(), String::new(), String::new());
        for (at, param) in params.split_whitespace().enumerate() {
            longs += " i64";
            words += match param {
                "i64" => "(local.get ",
                _ => "(i32.wrap_i64 (local.get ",
            };
            words += &at.to_string();
            words += if param == "i64" { ")" } else { "))" };
            let _ = write!(numbers, " (param \"p{at}\" u64)");
        }
        let dropped = if result.is_empty() { "" } else { "drop " };
        let _ = writeln!(
            forwards,
            "    (func (export \"call-{index}\") (param{longs}) (call $f{index} {words}) {dropped})"
        );
        let _ = writeln!(
            lifted,
            "  (func (export \"call-{index}\"){numbers}
    (canon lift (core func $main \"call-{index}\")))"
        );
    }
    let (data, body) = code(calls);
    let _ = write!(
        text,
        "  (core module $main
{imports}
    (import \"libc\" \"memory\" (memory 1))
{data}
    (func (export \"attack\")
{body})
    (func (export \"contents\") (result i32)
      (i32.store (i32.const 8) (i32.const 0))
      (i32.store (i32.const 12) (i32.mul (memory.size) (i32.const 65536)))
      (i32.const 8))
    (func (export \"poke\") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
{forwards})
  (core instance $functions
{exports})
  (core instance $main (instantiate $main
    (with \"f\" (instance $functions)) (with \"libc\" (instance $libc))))
  (func (export \"attack\") (canon lift (core func $main \"attack\")))
  (func (export \"contents\") (result (list u8))
    (canon lift (core func $main \"contents\") (memory $memory)))
  (func (export \"poke\") (param \"at\" u32) (param \"value\" u64)
    (canon lift (core func $main \"poke\")))
{lifted})\n"
    );
    text.replace(VERSION, version)
}

/// The strings of calls, and the calls.
fn code(calls: &[Call]) -> (String, String) {
    let (mut data, mut body) = (String::new(), String::new());
    let (mut string, mut list) = (STRINGS, LISTS);
    for (index, (name, args, _)) in calls.iter().enumerate() {
        let function = find(name);
        let (.., params, result, _) = FUNCTIONS[function];
        let out = RESULTS + SLOT * index as u32;
        assert!(out < STRINGS, "too many calls");
        let mut words = String::new();
        let mut count = 0;
        for arg in *args {
            count += 1;
            let _ = match arg {
                Arg::I(value) => write!(words, "(i32.const {})", *value as i32),
                Arg::L(value) => write!(words, "(i64.const {})", *value as i64),
                Arg::S(value) => {
                    count += 1;
                    let (at, len) = (string, value.len() as u32);
                    string += len;
                    let escaped: String =
                        value.bytes().map(|byte| format!("\\{byte:02x}")).collect();
                    let _ = writeln!(data, "    (data (i32.const {at}) \"{escaped}\")");
                    write!(words, "(i32.const {at}) (i32.const {len})")
                }
                Arg::Bytes(len) => {
                    count += 1;
                    write!(words, "(i32.const 0) (i32.const {len})")
                }
                Arg::Dir(number) => {
                    let at = 12 * number;
                    write!(words, "(i32.load offset={at} (i32.load (i32.const {RESULTS})))")
                }
                Arg::Of(call) => write!(words, "{}", result_of(calls, *call)),
                Arg::At(call, offset) => {
                    let at = RESULTS + SLOT * *call as u32 + offset;
                    write!(words, "(i32.load (i32.const {at}))")
                }
                Arg::List(handles) => {
                    count += 1;
                    let at = list;
                    for handle in *handles {
                        let value = result_of(calls, *handle);
                        let _ = writeln!(body, "      (i32.store (i32.const {list}) {value})");
                        list += 4;
                    }
                    write!(words, "(i32.const {at}) (i32.const {})", handles.len())
                }
            };
        }
        let expected = params.split_whitespace().count();
        if count < expected {
            count += 1;
            let _ = write!(words, "(i32.const {out})");
        }
        assert_eq!(count, expected, "arguments of {name}");
        let call = format!("(call $f{function} {words})");
        let _ = match result {
            "" => writeln!(body, "      {call}"),
            result => writeln!(body, "      ({result}.store (i32.const {out}) {call})"),
        };
    }
    (data, body)
}

/// What a store holds.
pub struct State {
    pub wasi: WasiCtx,
    pub table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A component that has been instantiated.
pub struct Guest {
    pub store: Store<State>,
    pub instance: Instance,
}

/// A program with its imports found.
pub fn prepare(text: &str) -> InstancePre<State> {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    add_to_linker_sync(&mut linker).unwrap();
    linker.instantiate_pre(&component).unwrap()
}

impl Guest {
    /// One with this program.
    pub fn new(builder: &mut WasiCtxBuilder, text: &str) -> Guest {
        Guest::of(builder, &prepare(text))
    }

    /// The same for a program that was prepared.
    pub fn of(builder: &mut WasiCtxBuilder, program: &InstancePre<State>) -> Guest {
        let state = State { wasi: builder.build(), table: ResourceTable::new() };
        let mut store = Store::new(program.component().engine(), state);
        let instance = program.instantiate(&mut store).unwrap();
        Guest { store, instance }
    }

    /// Makes the calls of its program.
    pub fn attack(&mut self) -> Result<()> {
        let attack = self.instance.get_typed_func::<(), ()>(&mut self.store, "attack")?;
        attack.call(&mut self.store, ())
    }

    /// Its memory.
    pub fn contents(&mut self) -> Vec<u8> {
        let contents =
            self.instance.get_typed_func::<(), (Vec<u8>,)>(&mut self.store, "contents").unwrap();
        contents.call(&mut self.store, ()).unwrap().0
    }
}

/// The result of a call, as it lies in memory.
pub fn result(contents: &[u8], call: usize) -> &[u8] {
    &contents[RESULTS as usize + SLOT as usize * call..][..SLOT as usize]
}

/// The list or string whose address and length lie so far into the result of a call.
pub fn bytes(contents: &[u8], call: usize, offset: usize) -> &[u8] {
    let word = |at: usize| {
        let bytes: [u8; 4] = result(contents, call)[at..at + 4].try_into().unwrap();
        u32::from_le_bytes(bytes) as usize
    };
    &contents[word(offset)..][..word(offset + 4)]
}

/// What of the calls was not answered as expected.
pub fn differences(contents: &[u8], calls: &[Call]) -> Vec<String> {
    let mut differences = Vec::new();
    for (index, (name, args, expected)) in calls.iter().enumerate() {
        let (.., payload) = FUNCTIONS[find(name)];
        let result = result(contents, index);
        let number = u64::from_le_bytes(result[..8].try_into().unwrap());
        let is = |answer: &Answer| match answer {
            Answer::Any => true,
            Answer::Fine => result[0] == 0,
            Answer::Code(code) => result[0] == 1 && result[payload as usize] == *code,
            Answer::Is(expected) => number == *expected,
        };
        if !expected.iter().any(is) {
            let answer = (result[0], result[payload as usize]);
            differences
                .push(format!("{index}: {name}{args:?} answers {answer:?}, not {expected:?}"));
        }
    }
    differences
}

/// Whether a text is anywhere in what the host handed in.
pub fn knows(contents: &[u8], text: &[u8]) -> bool {
    contents[HEAP as usize..].windows(text.len()).any(|window| window == text)
}
