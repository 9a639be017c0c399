;; A plugin written by hand, because no compiler emits what it does. It answers that nothing will happen to any bundle, but
;; for those that are asked about at a second whose last three bits are not 0: with the first bit it takes ever larger
;; tables, with the second its answer is a list at the pointer -4, and with the third a list of 2^31 items.
(module
  (memory (export "memory") 32)
  (table $hoard 1 funcref)
  (global $free (mut i32) (i32.const 65536))

  (data (i32.const 1024) "tables")
  (data (i32.const 1040) "thing")
  (data (i32.const 1056) "No")

  ;; The one kind: its name and its label; the lists behind them are empty.
  (data (i32.const 2048) "\10\04\00\00\05\00\00\00\10\04\00\00\05\00\00\00")

  ;; The manifest: id, name, kinds, three empty lists, days of UTC, and two refusals with a code and no message.
  (data (i32.const 3072) "\00\04\00\00\06\00\00\00\00\04\00\00\06\00\00\00\00\08\00\00\01\00\00\00")
  (data (i32.const 3124) "\20\04\00\00\02\00\00\00\00\00\00\00\00\00\00\00\20\04\00\00\02\00\00\00")
  ;; An empty list, and two refusals for policies with a code, no message and no setting.
  (data (i32.const 3164) "\20\04\00\00\02\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\20\04\00\00\02\00\00\00")

  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $start i32)
    (local.set $start
      (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $start) (local.get $size)))
    (local.get $start))

  ;; Answers without words or occurrences, whose counts are this list.
  (func $list (param $pointer i32) (param $length i32) (result i32)
    (i32.store (i32.const 4104) (local.get $pointer))
    (i32.store (i32.const 4108) (local.get $length))
    (i32.const 4096))

  (func (export "perennial:provider/profile@0.2.0#describe") (result i32) (i32.const 3072))

  (func (export "perennial:provider/profile@0.2.0#check-settings") (param i32 i32) (result i32) (i32.const 4096))

  (func (export "perennial:provider/lifecycle@0.2.0#timeline")
    (param $words i32) (param $words_length i32)
    (param $account_counts i32) (param $account_counts_length i32)
    (param $settings i32) (param $settings_length i32)
    (param $counts i32) (param $counts_length i32)
    (param $members i32) (param $members_length i32)
    (param $attributes i32) (param $attributes_length i32)
    (param $ids i32) (param $ids_length i32)
    (param $requests i32) (param $length i32)
    (result i32)
    (local $place i32)
    (local $second i32)
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $place) (local.get $length)))
        (local.set $second
          (i32.wrap_i64 (i64.load (i32.add (local.get $requests) (i32.mul (local.get $place) (i32.const 16))))))
        (if (i32.and (local.get $second) (i32.const 1))
          (then (loop $more (drop (table.grow $hoard (ref.null func) (i32.const 1000))) (br $more))))
        (if (i32.and (local.get $second) (i32.const 2))
          (then (return (call $list (i32.const -4) (local.get $length)))))
        (if (i32.and (local.get $second) (i32.const 4))
          (then (return (call $list (i32.const 8192) (i32.const 0x80000000)))))
        (local.set $place (i32.add (local.get $place) (i32.const 1)))
        (br $each)))
    ;; As many counts, which are zero, as there are requests.
    (call $list (i32.const 8192) (local.get $length)))

  (func (export "perennial:provider/commands@0.2.0#make-plans") (param i32) (result i32) (unreachable))

  (func (export "perennial:provider/usage@0.2.0#allocate")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (unreachable)))
