;; A tail call: `return_call` gives the caller's frame to the callee, so a
;; million steps of recursion take no more stack than one. The second parameter
;; carries the total that an ordinary recursion would keep in its frames.
;;
;; run: zwasm examples/wat/25_return_call.wat --invoke sum 1000000
;; expect: 500000500000
(module
  (func (export "sum") (param $n i64) (result i64)
    (return_call $add_up_to (local.get $n) (i64.const 0)))

  (func $add_up_to (param $n i64) (param $total i64) (result i64)
    (if (i64.eqz (local.get $n))
      (then (return (local.get $total))))
    (return_call $add_up_to
      (i64.sub (local.get $n) (i64.const 1))
      (i64.add (local.get $total) (local.get $n)))))
