;; Fuel is paid by block: a subtraction and a jump that is not taken.
;;! flags fuel
(module
  (func (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
