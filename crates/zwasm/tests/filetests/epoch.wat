;; The epoch is compared with the deadline at entries and loop headers.
;;! flags epoch
(module
  (func (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
