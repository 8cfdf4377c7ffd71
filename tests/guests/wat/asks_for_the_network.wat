;; Imports sockets. Refused: the import's name.
(component
  (import "wasi:sockets/tcp@0.2.9" (instance))
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
