;; Has a memory to share between threads. Refused: not enabled.
(component
  (core module (memory 1 1 shared))
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
