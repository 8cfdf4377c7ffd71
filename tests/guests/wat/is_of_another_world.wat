;; Is a component for another host. Refused: what it lacks.
(component
  (instance $nothing)
  (export "wasi:cli/run@0.2.9" (instance $nothing))
)
