;; A try costs nothing but that calls in it leave locals in their slots, where the
;; handler finds them; the handler is reached through a word.
(module
  (import "m" "f" (func $f))
  (tag $t (param i32))
  (func (param $a i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $t $caught)
        (call $f))
      (return (local.get $a)))
    (i32.add (local.get $a))))
