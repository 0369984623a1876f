;; Prints the arguments given after `--`, one per line. Argument 0, the name of
;; the program, is passed over: it is the runtime's choice.
;;
;; `args_sizes_get` tells how many arguments there are and how many bytes they
;; take; `args_get` stores the texts, each ended by a zero byte, and a list of
;; their addresses. The list starts at 1024 and the texts follow it, the memory
;; being grown to hold them. A line end takes the place of the zero byte, so
;; that each line is written at once.
;;
;; Memory: 0 the number of arguments, 4 their bytes, 8 the piece for fd_write,
;; 16 the count of bytes written, 1024 the list.
;;
;; run: zwasm examples/wat/32_wasi_args.wat hi
;; expect: hi
(module
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param $count i32) (param $bytes i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get"
    (func $args_get (param $list i32) (param $texts i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  (memory (export "memory") 1)

  (func (export "_start")
    (local $entry i32)
    (local $end i32)
    (call $check (call $args_sizes_get (i32.const 0) (i32.const 4)))
    ;; The list ends, and the texts begin, after 4 bytes for each argument.
    (local.set $end
      (i32.add (i32.const 1024) (i32.mul (i32.load (i32.const 0)) (i32.const 4))))
    (call $reserve (i32.add (local.get $end) (i32.load (i32.const 4))))
    (call $check (call $args_get (i32.const 1024) (local.get $end)))
    (local.set $entry (i32.const 1028))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $entry) (local.get $end)))
        (call $print_line (i32.load (local.get $entry)))
        (local.set $entry (i32.add (local.get $entry) (i32.const 4)))
        (br $next))))

  (func $print_line (param $text i32)
    (local $length i32)
    (local.set $length (call $length (local.get $text)))
    (i32.store8 (i32.add (local.get $text) (local.get $length)) (i32.const 10))
    (i32.store (i32.const 8) (local.get $text))
    (i32.store (i32.const 12) (i32.add (local.get $length) (i32.const 1)))
    (call $check
      (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16))))

  ;; The number of bytes before the zero byte.
  (func $length (param $text i32) (result i32)
    (local $at i32)
    (local.set $at (local.get $text))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $at) (local.get $text)))

  ;; Grows the memory to at least `$bytes`.
  (func $reserve (param $bytes i32)
    (local $missing i32)
    (local.set $missing
      (i32.sub
        (i32.shr_u (i32.add (local.get $bytes) (i32.const 65535)) (i32.const 16))
        (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
          (then (call $proc_exit (i32.const 1)))))))

  ;; Ends the program if a system call gave an error number.
  (func $check (param $errno i32)
    (if (local.get $errno)
      (then (call $proc_exit (i32.const 1))))))
