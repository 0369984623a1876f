;; A shared memory may be used by several threads, and atomic instructions keep
;; them from losing each other's work. A lock is a number, 0 when free: whoever
;; turns it from 0 into 1 has it. `memory.atomic.wait32` sleeps until another
;; thread notifies, the number differs, or a time has passed.
;;
;; run: zwasm examples/wat/38_atomics.wat --invoke add_under_lock 5
;; expect: 5
;; run: zwasm examples/wat/38_atomics.wat --invoke wait 1000000
;; expect: 2
(module
  (memory 1 1 shared)
  (global $lock i32 (i32.const 0))
  (global $total i32 (i32.const 4))

  (func $acquire
    (block $acquired
      (loop $try
        (br_if $acquired
          (i32.eqz
            (i32.atomic.rmw.cmpxchg (global.get $lock) (i32.const 0) (i32.const 1))))
        (drop (memory.atomic.wait32 (global.get $lock) (i32.const 1) (i64.const -1)))
        (br $try))))

  (func $release
    (i32.atomic.store (global.get $lock) (i32.const 0))
    (drop (memory.atomic.notify (global.get $lock) (i32.const 1))))

  (func (export "add_under_lock") (param $n i32) (result i32)
    (local $new i32)
    (call $acquire)
    (local.set $new (i32.add (i32.load (global.get $total)) (local.get $n)))
    (i32.store (global.get $total) (local.get $new))
    (call $release)
    (local.get $new))

  ;; Waits so many nanoseconds for a notification that nobody sends: 2 says that
  ;; the time has passed.
  (func (export "wait") (param $nanoseconds i64) (result i32)
    (memory.atomic.wait32 (global.get $total) (i32.const 0) (local.get $nanoseconds))))
