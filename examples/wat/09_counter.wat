;; A global variable keeps its value between calls for as long as the instance
;; lives. Each run of the command makes a new instance; with `--batch`, all the
;; lines of standard input call the same one.
;;
;; run: zwasm examples/wat/09_counter.wat --invoke next
;; expect: 1
;; run: printf 'next\nadd 40\nnext\n' | zwasm examples/wat/09_counter.wat --batch
;; expect: 1
;; expect: 41
;; expect: 42
(module
  (global $count (mut i32) (i32.const 0))

  (func $add (export "add") (param $n i32) (result i32)
    (global.set $count (i32.add (global.get $count) (local.get $n)))
    (global.get $count))

  (func (export "next") (result i32)
    (call $add (i32.const 1))))
