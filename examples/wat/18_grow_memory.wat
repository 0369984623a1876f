;; A memory grows by pages of 64 KiB while the module runs. `memory.grow` gives
;; the number of pages there were before, or -1 if it may not grow so far: this
;; one may have four pages.
;;
;; run: zwasm examples/wat/18_grow_memory.wat --invoke grow 2
;; expect: 1
;; expect: 3
;; run: zwasm examples/wat/18_grow_memory.wat --invoke grow 4
;; expect: -1
;; expect: 1
(module
  (memory 1 4)

  ;; The result of growing, and the size afterwards.
  (func (export "grow") (param $pages i32) (result i32 i32)
    (memory.grow (local.get $pages))
    (memory.size)))
