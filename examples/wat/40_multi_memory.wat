;; Several memories in one module, each with its own addresses: what goes wrong
;; in one cannot damage another. Instructions name the memory they mean.
;;
;; run: zwasm examples/wat/40_multi_memory.wat --invoke copy 7
;; expect: 7
;; expect: 0
(module
  (memory $input 1)
  (memory $output 1)

  ;; Writes to the first memory and copies to the second; gives what is there,
  ;; and what is in the first where nothing was written.
  (func (export "copy") (param $n i32) (result i32 i32)
    (i32.store $input (i32.const 16) (local.get $n))
    (memory.copy $output $input (i32.const 100) (i32.const 16) (i32.const 4))
    (i32.load $output (i32.const 100))
    (i32.load $input (i32.const 100))))
