;; Threads of a WASI program: `thread-spawn` starts one that runs the exported
;; function `wasi_thread_start` in an instance of its own. What they share is the
;; memory, which the module imports and exports. Four threads each add their
;; numbers to one total; the main thread sleeps until the last one wakes it.
;;
;; Memory: 0 the total, 4 how many threads have ended, 8 the one piece for
;; fd_write, 16 the count of bytes written, 32 the digits.
;;
;; run: zwasm examples/wat/41_wasi_threads.wat --allow-proc
;; expect: 40000
(module
  (import "wasi" "thread-spawn" (func $spawn (param $argument i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))
  (memory (export "memory") (import "env" "memory") 1 1 shared)

  (global $threads i32 (i32.const 4))

  (func (export "wasi_thread_start") (param $id i32) (param $each i32)
    (local $left i32)
    (local.set $left (i32.const 10000))
    (loop $next
      (drop (i32.atomic.rmw.add (i32.const 0) (local.get $each)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $next (local.get $left)))
    (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 4) (i32.const 1))))

  (func (export "_start")
    (local $started i32) (local $ended i32)
    (loop $next
      (if (i32.lt_s (call $spawn (i32.const 1)) (i32.const 0))
        (then (call $proc_exit (i32.const 1))))
      (local.set $started (i32.add (local.get $started) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $started) (global.get $threads))))
    ;; Waits for as long as the number is what it was when it was looked at.
    (block $all
      (loop $wait
        (local.set $ended (i32.atomic.load (i32.const 4)))
        (br_if $all (i32.eq (local.get $ended) (global.get $threads)))
        (drop (memory.atomic.wait32 (i32.const 4) (local.get $ended) (i64.const -1)))
        (br $wait)))
    (call $print (i32.atomic.load (i32.const 0))))

  ;; Writes a number in decimal, its digits from the last to the first.
  (func $print (param $n i32)
    (local $at i32)
    (local.set $at (i32.const 43))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $next (local.get $n)))
    (i32.store (i32.const 8) (local.get $at))
    (i32.store (i32.const 12) (i32.sub (i32.const 44) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
