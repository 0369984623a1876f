;; Bounds, null and type are checked; if types are not the same, the handler decides
;; whether one is a subtype.
(module
  (type $t (func (param i32) (result i32)))
  (table 4 funcref)
  (func (param $a i32) (param $i i32) (result i32)
    (call_indirect (type $t) (local.get $a) (local.get $i))))
