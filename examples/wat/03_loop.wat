;; A loop that adds the numbers from 1 to n. A branch to a `loop` goes back to
;; its start, a branch to a `block` goes past its end.
;;
;; run: zwasm examples/wat/03_loop.wat --invoke sum 100
;; expect: 5050
(module
  (func (export "sum") (param $n i32) (result i32)
    (local $total i32)
    (block $done
      (loop $next
        (br_if $done (i32.le_s (local.get $n) (i32.const 0)))
        (local.set $total (i32.add (local.get $total) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $total)))
