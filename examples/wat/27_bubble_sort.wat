;; Sorts five numbers: they are put into the memory, neighbours in the wrong
;; order are swapped until there are none, and they are taken out again.
;;
;; run: zwasm examples/wat/27_bubble_sort.wat --invoke sort 5 -2 9 1 7
;; expect: -2
;; expect: 1
;; expect: 5
;; expect: 7
;; expect: 9
(module
  (memory 1)

  (func (export "sort") (param i32 i32 i32 i32 i32) (result i32 i32 i32 i32 i32)
    (i32.store (i32.const 0) (local.get 0))
    (i32.store (i32.const 4) (local.get 1))
    (i32.store (i32.const 8) (local.get 2))
    (i32.store (i32.const 12) (local.get 3))
    (i32.store (i32.const 16) (local.get 4))
    (call $bubble_sort (i32.const 0) (i32.const 5))
    (i32.load (i32.const 0))
    (i32.load (i32.const 4))
    (i32.load (i32.const 8))
    (i32.load (i32.const 12))
    (i32.load (i32.const 16)))

  ;; Sorts `$count` numbers from `$from` on.
  (func $bubble_sort (param $from i32) (param $count i32)
    (local $last i32) (local $at i32) (local $swapped i32)
    (local $a i32) (local $b i32)
    (local.set $last
      (i32.add
        (local.get $from)
        (i32.mul (i32.sub (local.get $count) (i32.const 1)) (i32.const 4))))
    (loop $pass
      (local.set $swapped (i32.const 0))
      (local.set $at (local.get $from))
      (block $end
        (loop $pair
          (br_if $end (i32.ge_u (local.get $at) (local.get $last)))
          (local.set $a (i32.load (local.get $at)))
          (local.set $b (i32.load offset=4 (local.get $at)))
          (if (i32.gt_s (local.get $a) (local.get $b))
            (then
              (i32.store (local.get $at) (local.get $b))
              (i32.store offset=4 (local.get $at) (local.get $a))
              (local.set $swapped (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br $pair)))
      ;; The largest number has reached the end.
      (local.set $last (i32.sub (local.get $last) (i32.const 4)))
      (br_if $pass (local.get $swapped)))))
