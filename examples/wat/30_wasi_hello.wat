;; The smallest WASI program: it writes a text to standard output. `fd_write`
;; takes a list of pieces, each an address and a length in memory, and stores
;; how many bytes it wrote.
;;
;; Memory: 0 the one piece, 8 the count of bytes written, 16 the text.
;;
;; run: zwasm examples/wat/30_wasi_hello.wat
;; expect: Hi!
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32)
      (result i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00" "\04\00\00\00")
  (data (i32.const 16) "Hi!\n")

  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
