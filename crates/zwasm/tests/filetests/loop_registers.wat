;; The locals of a loop are in registers at its header; a stub behind the function
;; loads them for an interpreter that continues there.
(module
  (func (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
