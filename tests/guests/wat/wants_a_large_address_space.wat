;; Has a memory of 64 bits. Refused: not enabled.
(component
  (core module (memory i64 1))
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
