;; Functions may call each other whatever their order in the module. Each call
;; takes a frame on the call stack, whose limit `--max-stack` sets; see the tail
;; calls of 25_return_call.wat for recursion without that.
;;
;; run: zwasm examples/wat/23_mutual_recursion.wat --invoke is_even 10000
;; expect: 1
;; run: zwasm examples/wat/23_mutual_recursion.wat --invoke is_odd 10000
;; expect: 0
(module
  (func $is_even (export "is_even") (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.const 1))
      (else (call $is_odd (i32.sub (local.get $n) (i32.const 1))))))

  (func $is_odd (export "is_odd") (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.const 0))
      (else (call $is_even (i32.sub (local.get $n) (i32.const 1)))))))
