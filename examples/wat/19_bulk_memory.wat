;; Whole ranges at once: `memory.init` copies from a passive data segment, which
;; stays outside the memory until asked for, `memory.copy` moves bytes even
;; between overlapping places, `memory.fill` repeats one.
;;
;; run: zwasm examples/wat/19_bulk_memory.wat --invoke checksum
;; expect: 1125
(module
  (memory 1)
  (data $numbers "\01\02\03\04\05\06\07\08\09\0a")

  (func (export "checksum") (result i32)
    (local $at i32) (local $sum i32)
    ;; 0..10 hold 1 to 10, 10..20 the same again, 20..30 a hundred each.
    (memory.init $numbers (i32.const 0) (i32.const 0) (i32.const 10))
    (data.drop $numbers)
    (memory.copy (i32.const 10) (i32.const 0) (i32.const 10))
    (memory.fill (i32.const 20) (i32.const 100) (i32.const 10))
    ;; Everything once more, moved by five: the two overlap.
    (memory.copy (i32.const 5) (i32.const 0) (i32.const 30))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 35))))
    (local.get $sum)))
