;; A small array takes its bytes from the window; when that is full, or the array
;; large, the handler does it out of line.
;;! flags host-cpu
(module
  (type $bytes (array (mut i8)))
  (type $pair (array i32))
  (func (param $n i32) (result (ref $bytes)) (array.new_default $bytes (local.get $n)))
  (func (param $a i32) (result (ref $pair))
    (array.new_fixed $pair 2 (local.get $a) (i32.const 7))))
