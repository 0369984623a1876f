;; A data segment puts bytes into the memory before the module runs. Texts are
;; just that, so their length has to be known or marked, here by a zero byte.
;;
;; run: zwasm examples/wat/17_data_string.wat --invoke length
;; expect: 43
;; run: zwasm examples/wat/17_data_string.wat --invoke count 111
;; expect: 4
(module
  (memory 1)
  (data (i32.const 256) "The quick brown fox jumps over the lazy dog\00")

  (func (export "length") (result i32)
    (local $at i32)
    (local.set $at (i32.const 256))
    (loop $next
      (if (i32.load8_u (local.get $at))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (i32.sub (local.get $at) (i32.const 256)))

  ;; How often a character, given by its number, is in the text: 111 is `o`.
  (func (export "count") (param $char i32) (result i32)
    (local $at i32) (local $byte i32) (local $found i32)
    (local.set $at (i32.const 256))
    (loop $next
      (if (local.tee $byte (i32.load8_u (local.get $at)))
        (then
          (local.set $found
            (i32.add (local.get $found) (i32.eq (local.get $byte) (local.get $char))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (local.get $found)))
