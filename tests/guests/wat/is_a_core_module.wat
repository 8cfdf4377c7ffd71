;; Is a core module, as compilers leave it. Refused: build it as a component.
(module (func (export "project")))
