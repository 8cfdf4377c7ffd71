;; Was built for a host of the future. Refused: update the host.
(component
  (instance $nothing)
  (export "lantern:projector/projection@0.2.0" (instance $nothing))
)
