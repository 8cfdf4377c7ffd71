;; Exports the right interface with nothing in it. Refused: what is missing.
(component
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
