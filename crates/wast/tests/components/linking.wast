;; Instances that import what others export, and what the host has.

(component definition $counter
  (core module $m
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n)))
  (core instance $i (instantiate $m))
  (func $next (export "next") (result u32) (canon lift (core func $i "next")))
  (core module $exported (export "module") (func (export "f") (result i32) (i32.const 7)))
  (instance (export "in:an/instance") (export "next" (func $next))))

(component instance $one $counter)
(component instance $two $counter)
(assert_return (invoke $one "next") (u32.const 1))
(assert_return (invoke $one "next") (u32.const 2))
(assert_return (invoke $two "next") (u32.const 1))
(assert_return (invoke $one "in:an/instance#next") (u32.const 3))
(register "counter" $one)

(component $user
  (import "counter" (instance $c
    (export "next" (func (result u32)))
    (export "module" (core module (export "f" (func (result i32)))))
    (export "in:an/instance" (instance (export "next" (func (result u32)))))))
  (core func $next (canon lower (func $c "next")))
  (core module $m
    (import "" "next" (func $next (result i32)))
    (func (export "twice") (result i32) (drop (call $next)) (call $next)))
  (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))))))
  (func (export "twice") (result u32) (canon lift (core func $i "twice")))
  (core instance $given (instantiate (module $c "module")))
  (func (export "seven") (result u32) (canon lift (core func $given "f"))))
(assert_return (invoke "twice") (u32.const 5))
(assert_return (invoke $one "next") (u32.const 6))
(assert_return (invoke $user "seven") (u32.const 7))

(assert_unlinkable
  (component (import "counter" (instance (export "previous" (func (result u32))))))
  "unknown import 'counter#previous'")
(assert_unlinkable
  (component (import "counter" (core module)))
  "what is defined is an instance")
(assert_unlinkable
  (component
    (import "counter" (instance
      (export "module" (core module (export "f" (func (result i64))))))))
  "its export 'f' is func (result i32), not func (result i64)")

;; The host.
(component
  (import "host" (instance $h
    (export "return-three" (func (result u32)))
    (export "nested" (instance (export "return-four" (func (result u32)))))
    (export "simple-module" (core module (export "f" (func (result i32)))))))
  (import "host-echo-u32" (func $echo (param "v" u32) (result u32)))
  (alias export $h "nested" (instance $n))
  (core func $three (canon lower (func $h "return-three")))
  (core func $four (canon lower (func $n "return-four")))
  (core func $echo (canon lower (func $echo)))
  (core module $m
    (import "" "three" (func $three (result i32)))
    (import "" "four" (func $four (result i32)))
    (import "" "echo" (func $echo (param i32) (result i32)))
    (func (export "sum") (param i32) (result i32)
      (i32.add (call $echo (local.get 0)) (i32.add (call $three) (call $four)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "three" (func $three)) (export "four" (func $four)) (export "echo" (func $echo))))))
  (func (export "sum") (param "x" u32) (result u32) (canon lift (core func $i "sum")))
  (core instance $s (instantiate (module $h "simple-module")))
  (func (export "f") (result u32) (canon lift (core func $s "f"))))
(assert_return (invoke "sum" (u32.const 100)) (u32.const 107))
(assert_return (invoke "f") (u32.const 101))

;; A resource is another one in each instance.
(component definition $owner
  (type $r (resource (rep i32)))
  (export $e "r" (type $r))
  (core func $new (canon resource.new $r))
  (func (export "make") (param "x" u32) (result (own $e)) (canon lift (core func $new)))
  (core func $rep (canon resource.rep $r))
  (core module $m
    (import "" "rep" (func $rep (param i32) (result i32)))
    (func (export "rep") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m (with "" (instance (export "rep" (func $rep))))))
  (func (export "rep") (param "x" (borrow $e)) (result u32) (canon lift (core func $i "rep"))))
(component instance $first $owner)
(component instance $second $owner)
(register "first" $first)
(register "second" $second)
(component
  (import "first" (instance $a
    (export "r" (type $r (sub resource)))
    (export "make" (func (param "x" u32) (result (own $r))))
    (export "rep" (func (param "x" (borrow $r)) (result u32)))))
  (alias export $a "r" (type $r))
  (core func $make (canon lower (func $a "make")))
  (core func $rep (canon lower (func $a "rep")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (result i32)
      (local $h i32) (local $r i32)
      (local.set $h (call $make (i32.const 40)))
      (local.set $r (call $rep (local.get $h)))
      (call $drop (local.get $h))
      (local.get $r))
    (func (export "twice")
      (local $h i32)
      (local.set $h (call $make (i32.const 40)))
      (call $drop (local.get $h))
      (call $drop (local.get $h))))
  (core instance $i (instantiate $m (with "" (instance
    (export "make" (func $make)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
  (func (export "run") (result u32) (canon lift (core func $i "run")))
  (func (export "twice") (canon lift (core func $i "twice"))))
(assert_return (invoke "run") (u32.const 40))
(assert_trap (invoke "twice") "unknown handle index")
(assert_unlinkable
  (component
    (import "first" (instance $a (export "r" (type (sub resource)))))
    (alias export $a "r" (type $r))
    (import "second" (instance (export "r" (type (eq $r))))))
  "mismatched resource types")
