;; What a loop computes the same each time stands in front of it.
;;! ssa licm
(module
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  (func $product (param $a i32) (param $b i32) (param $p i32)
    (loop $next
      ;; The division may trap, but is executed first.
      (i32.store (local.get $p)
        (i32.add
          (i32.div_s (local.get $a) (local.get $b))
          (i32.mul (local.get $a) (local.get $b))))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 4))))))
  (func $may_not (param $a i32) (param $b i32) (param $p i32)
    (loop $next
      (i32.store (local.get $p) (local.get $a))
      ;; The store traps before it.
      (i32.store offset=4 (local.get $p) (i32.div_s (local.get $a) (local.get $b)))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 4))))))
  (func $loaded (param $p i32) (param $q i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum)
          (i32.mul (i32.load (local.get $q)) (global.get $g))))
      (global.set $g (local.get $sum))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
    (local.get $sum))
  (func $nested (param $a i64) (param $n i32) (result i64) (local $i i32) (local $sum i64)
    (loop $outer
      (local.set $i (local.get $n))
      (loop $inner
        (local.set $sum
          (i64.xor (local.get $sum)
            (i64.add
              (i64.mul (local.get $a) (local.get $a))
              (i64.mul (local.get $a) (i64.extend_i32_u (local.get $n))))))
        (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
