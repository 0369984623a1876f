;; A product of 128 bits in parts of 32, as compilers write it, is one multiplication.
;;! ssa build dce
(module
  (memory 1)
  (func $multiply (param $to i32) (param $a i64) (param $b i64)
    (local $low i64) (local $t i64) (local $s i64)
    (local.set $low
      (i64.mul
        (i64.and (local.get $a) (i64.const 0xffffffff))
        (i64.and (local.get $b) (i64.const 0xffffffff))))
    (local.set $t
      (i64.add
        (i64.mul
          (i64.shr_u (local.get $a) (i64.const 32))
          (i64.and (local.get $b) (i64.const 0xffffffff)))
        (i64.shr_u (local.get $low) (i64.const 32))))
    (local.set $s
      (i64.add
        (i64.mul
          (i64.and (local.get $a) (i64.const 0xffffffff))
          (i64.shr_u (local.get $b) (i64.const 32)))
        (i64.and (local.get $t) (i64.const 0xffffffff))))
    (i64.store offset=8 (local.get $to)
      (i64.add
        (i64.add
          (i64.mul
            (i64.shr_u (local.get $a) (i64.const 32))
            (i64.shr_u (local.get $b) (i64.const 32)))
          (i64.shr_u (local.get $t) (i64.const 32)))
        (i64.shr_u (local.get $s) (i64.const 32))))
    (i64.store (local.get $to)
      (i64.or
        (i64.shl (local.get $s) (i64.const 32))
        (i64.and (local.get $low) (i64.const 0xffffffff))))))
