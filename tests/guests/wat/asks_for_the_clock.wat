;; Imports a clock. Refused: the import's name.
(component
  (import "wasi:clocks/wall-clock@0.2.9" (instance))
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
