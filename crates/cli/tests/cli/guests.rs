//! Modules that several tests run.

use crate::support::Dir;

/// Functions of numbers and references, and a memory.
pub const MATH: &str = r#"(module
  (func $add (export "add") (param i32 i32) (result i32)
    local.get 0 local.get 1 i32.add)
  (func (export "negate") (param i32) (result i32) i32.const 0 local.get 0 i32.sub)
  (func (export "abs") (param i32) (result i32)
    (select (i32.sub (i32.const 0) (local.get 0)) (local.get 0)
      (i32.lt_s (local.get 0) (i32.const 0))))
  (func (export "double") (param f64) (result f64) local.get 0 f64.const 2 f64.mul)
  (func (export "half") (param f64) (result f64) local.get 0 f64.const 2 f64.div)
  (func (export "half32") (param f32) (result f32) local.get 0 f32.const 2 f32.div)
  (func (export "fib") (param i64) (result i64) (local i64 i64 i64)
    (local.set 2 (i64.const 1))
    (block $done (loop $next
      (br_if $done (i64.eqz (local.get 0)))
      (local.set 3 (i64.add (local.get 1) (local.get 2)))
      (local.set 1 (local.get 2))
      (local.set 2 (local.get 3))
      (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
      (br $next)))
    local.get 1)
  (func (export "id64") (param i64) (result i64) local.get 0)
  (func (export "max") (result i32 i64) i32.const -1 i64.const -1)
  (func (export "swap") (param i32 f64) (result f64 i32) local.get 1 local.get 0)
  (func (export "nothing"))
  (func (export "refs") (param funcref externref) (result funcref externref)
    local.get 0 local.get 1)
  (func (export "self") (result funcref) ref.func $add)
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)
  (func (export "load") (param i32) (result i32) local.get 0 i32.load))"#;

/// Writes its arguments after `argv[0]` and its environment, one a line.
pub const ECHO: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func $put (param $from i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $lines (param $from i32) (param $end i32)
    (local $at i32)
    (local.set $at (local.get $from))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then (i32.store8 (local.get $at) (i32.const 10))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (call $put (local.get $from) (i32.sub (local.get $end) (local.get $from))))
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 65536) (i32.const 131072)))
    (call $lines (i32.const 131072)
      (i32.add (i32.const 131072) (i32.load (i32.const 20))))
    (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 65536) (i32.const 131072)))
    (call $lines (i32.const 131072)
      (i32.add (i32.const 131072) (i32.load (i32.const 20))))))"#;

/// Says hello.
pub const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hello\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

/// Prints the file named by its last argument, found below descriptor 3; exits
/// with the error number when it cannot.
pub const CAT: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (func $check (param i32)
    (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func (export "_start") (local $path i32) (local $size i32)
    (call $check (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (call $check (call $args_get (i32.const 1024) (i32.const 4096)))
    (local.set $path (i32.load (i32.add (i32.const 1020)
      (i32.mul (i32.load (i32.const 16)) (i32.const 4)))))
    (local.set $size (i32.sub
      (i32.add (i32.const 4095) (i32.load (i32.const 20))) (local.get $path)))
    (call $check (call $path_open (i32.const 3) (i32.const 0) (local.get $path)
      (local.get $size) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 24)))
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.const 65536))
    (call $check (call $fd_read (i32.load (i32.const 24)) (i32.const 0) (i32.const 1)
      (i32.const 4)))
    (call $check (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Ends at once with an exit code.
pub fn exit(code: u32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
             (memory (export "memory") 1)
             (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
    )
}

/// A folder with the module of functions, as text and binary.
pub fn math() -> Dir {
    Dir::with(&[("math.wat", MATH), ("math.wasm", MATH)])
}
