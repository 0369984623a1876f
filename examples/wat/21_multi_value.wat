;; Blocks and loops take parameters from the stack and leave any number of
;; results, as functions do. The loop below carries its state on the stack: a
;; branch back to it brings the parameters for the next round.
;;
;; run: zwasm examples/wat/21_multi_value.wat --invoke fibonacci 90
;; expect: 2880067194370816120
(module
  ;; a b -> b a+b
  (func $step (param $a i64) (param $b i64) (result i64 i64)
    (local.get $b)
    (i64.add (local.get $a) (local.get $b)))

  (func (export "fibonacci") (param $n i32) (result i64)
    i64.const 0
    i64.const 1
    (block $done (param i64 i64) (result i64 i64)
      (loop $next (param i64 i64) (result i64 i64)
        (br_if $done (i32.le_s (local.get $n) (i32.const 0)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        call $step
        br $next))
    drop))
