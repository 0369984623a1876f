;; Copies standard input to standard output until it ends. A read gives what is
;; there, up to the size of the buffer, and zero bytes at the end; a write may
;; take less than it was offered, so what is left is offered again.
;;
;; Memory: 0 the one piece, 8 the count of bytes read or written, 1024 the buffer.
;;
;; run: echo hello, world | zwasm examples/wat/31_wasi_echo.wat
;; expect: hello, world
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param $fd i32) (param $pieces i32) (param $count i32) (param $read i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  (memory (export "memory") 1)

  (func (export "_start")
    (local $bytes i32)
    (block $end
      (loop $next
        (call $piece (i32.const 1024) (i32.const 4096))
        (call $check
          (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $bytes (i32.load (i32.const 8)))
        (br_if $end (i32.eqz (local.get $bytes)))
        (call $write_all (i32.const 1024) (local.get $bytes))
        (br $next))))

  (func $write_all (param $from i32) (param $bytes i32)
    (local $written i32)
    (loop $next
      (call $piece (local.get $from) (local.get $bytes))
      (call $check
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $written (i32.load (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (local.get $written)))
      (local.set $bytes (i32.sub (local.get $bytes) (local.get $written)))
      (br_if $next (local.get $bytes))))

  ;; Describes the piece of memory to be read into or written from.
  (func $piece (param $from i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $bytes)))

  ;; Ends the program if a system call gave an error number.
  (func $check (param $errno i32)
    (if (local.get $errno)
      (then (call $proc_exit (i32.const 1))))))
