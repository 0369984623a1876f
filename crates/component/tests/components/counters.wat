;; A guest with a resource of its own, counters, each of which owns a log of the host's:
;; what a counter is told goes there, and dropping the counter drops the log.
(component
  (import "logs" (instance $logs
    (export "log" (type $log (sub resource)))
    (export "[constructor]log" (func (param "name" string) (result (own $log))))
    (export "[method]log.write" (func (param "self" (borrow $log)) (param "text" string)))
    (export "[static]log.count" (func (result u32)))
    (export "read" (func (param "log" (borrow $log)) (result string)))))
  (alias export $logs "log" (type $log))

  (core module $libc
    (memory (export "memory") 1)
    (global $end (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32)
        (param $new i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $end) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $end (i32.add (local.get $at) (local.get $new)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))

  (core func $new-log (canon lower (func $logs "[constructor]log") (memory $memory)))
  (core func $write (canon lower (func $logs "[method]log.write") (memory $memory)))
  (core func $drop-log (canon resource.drop $log))

  ;; A counter is an address: its count, and the handle of its log.
  (core module $counters
    (import "host" "new-log" (func $new-log (param i32 i32) (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32)))
    (import "host" "drop-log" (func $drop-log (param i32)))
    (import "libc" "memory" (memory 1))
    (global $next (mut i32) (i32.const 1024))
    (data (i32.const 0) "counted")
    (func (export "make") (param $count i32) (param $name i32) (param $length i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (local.get $at) (i32.const 8)))
      (i32.store (local.get $at) (local.get $count))
      (i32.store offset=4 (local.get $at)
        (call $new-log (local.get $name) (local.get $length)))
      (local.get $at))
    (func (export "add") (param $at i32) (param $by i32) (result i32)
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $by)))
      (call $write (i32.load offset=4 (local.get $at)) (i32.const 0) (i32.const 7))
      (i32.load (local.get $at)))
    (func (export "sum") (param $a i32) (param $b i32) (result i32)
      (i32.add (i32.load (local.get $a)) (i32.load (local.get $b))))
    (func (export "drop") (param $at i32)
      (call $drop-log (i32.load offset=4 (local.get $at)))))
  (core instance $counters (instantiate $counters
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "new-log" (func $new-log))
      (export "write" (func $write))
      (export "drop-log" (func $drop-log))))))

  (type $counter' (resource (rep i32) (dtor (core func $counters "drop"))))
  (core func $new-counter (canon resource.new $counter'))
  (core func $counter-rep (canon resource.rep $counter'))
  (core func $drop-counter (canon resource.drop $counter'))
  (core module $handles
    (import "counters" "make" (func $make (param i32 i32 i32) (result i32)))
    (import "counters" "sum" (func $sum (param i32 i32) (result i32)))
    (import "canon" "new" (func $new (param i32) (result i32)))
    (import "canon" "rep" (func $rep (param i32) (result i32)))
    (import "canon" "drop" (func $drop (param i32)))
    (func (export "make") (param i32 i32 i32) (result i32)
      (call $new (call $make (local.get 0) (local.get 1) (local.get 2))))
    ;; Borrows arrive as what they stand for; owners as handles, to be dropped.
    (func (export "sum") (param $borrowed i32) (param $owned i32) (result i32)
      (local $sum i32)
      (local.set $sum (call $sum (local.get $borrowed) (call $rep (local.get $owned))))
      (call $drop (local.get $owned))
      (local.get $sum)))
  (core instance $handles (instantiate $handles
    (with "counters" (instance $counters))
    (with "canon" (instance
      (export "new" (func $new-counter))
      (export "rep" (func $counter-rep))
      (export "drop" (func $drop-counter))))))

  (func $make (param "count" u32) (param "name" string) (result (own $counter'))
    (canon lift (core func $handles "make") (memory $memory) (realloc $realloc)))
  (func $add (param "self" (borrow $counter')) (param "by" u32) (result u32)
    (canon lift (core func $counters "add")))
  (func $sum (param "a" (borrow $counter')) (param "b" (own $counter')) (result u32)
    (canon lift (core func $handles "sum")))
  (component $shape
    (import "counter" (type $counter' (sub resource)))
    (import "make" (func $make (param "count" u32) (param "name" string) (result (own $counter'))))
    (import "add" (func $add (param "self" (borrow $counter')) (param "by" u32) (result u32)))
    (import "sum"
      (func $sum (param "a" (borrow $counter')) (param "b" (own $counter')) (result u32)))
    (export $counter "counter" (type $counter'))
    (export "[constructor]counter" (func $make)
      (func (param "count" u32) (param "name" string) (result (own $counter))))
    (export "[method]counter.add" (func $add)
      (func (param "self" (borrow $counter)) (param "by" u32) (result u32)))
    (export "[static]counter.sum" (func $sum)
      (func (param "a" (borrow $counter)) (param "b" (own $counter)) (result u32))))
  (instance $exported (instantiate $shape
    (with "counter" (type $counter'))
    (with "make" (func $make))
    (with "add" (func $add))
    (with "sum" (func $sum))))
  (export "test:counters/counters@1.2.0" (instance $exported)))
