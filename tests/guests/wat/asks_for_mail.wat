;; Imports what somebody else's host may offer. Refused: the import's name.
(component
  (import "acme:mail/outbox@1.0.0" (instance))
  (instance $nothing)
  (export "lantern:projector/projection@0.1.0" (instance $nothing))
)
