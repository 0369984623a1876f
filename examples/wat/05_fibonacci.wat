;; Fibonacci numbers by their definition, with two recursive calls. The work
;; grows as fast as the result does, which makes it a measure of calls: try 35.
;;
;; run: zwasm examples/wat/05_fibonacci.wat --invoke fib 10
;; expect: 55
(module
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (i32.lt_s (local.get $n) (i32.const 2))
      (then (return (local.get $n))))
    (i32.add
      (call $fib (i32.sub (local.get $n) (i32.const 1)))
      (call $fib (i32.sub (local.get $n) (i32.const 2))))))
