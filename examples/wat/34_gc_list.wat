;; Garbage-collected structures: a linked list. Its nodes live outside the linear
;; memory, are reached only through typed references, and go when nothing refers
;; to them. The second run makes a hundred lists of a thousand nodes each.
;;
;; run: zwasm examples/wat/34_gc_list.wat --invoke sum_of_list 100
;; expect: 5050
;; run: zwasm examples/wat/34_gc_list.wat --invoke many_lists 100
;; expect: 50050000
(module
  (type $node (struct (field $value i32) (field $next (ref null $node))))

  ;; The numbers from 1 to n.
  (func $count_to (param $n i32) (result (ref null $node))
    (local $list (ref null $node))
    (loop $next
      (if (i32.gt_s (local.get $n) (i32.const 0))
        (then
          (local.set $list (struct.new $node (local.get $n) (local.get $list)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $list))

  ;; `br_on_null` leaves at the end of the list; what goes on is not null.
  (func $sum (param $list (ref null $node)) (result i32)
    (local $sum i32) (local $node (ref $node))
    (block $end
      (loop $next
        (local.set $node (br_on_null $end (local.get $list)))
        (local.set $sum
          (i32.add (local.get $sum) (struct.get $node $value (local.get $node))))
        (local.set $list (struct.get $node $next (local.get $node)))
        (br $next)))
    (local.get $sum))

  (func (export "sum_of_list") (param $n i32) (result i32)
    (call $sum (call $count_to (local.get $n))))

  (func (export "many_lists") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum) (call $sum (call $count_to (i32.const 1000)))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (i32.gt_s (local.get $n) (i32.const 0))))
    (local.get $sum)))
