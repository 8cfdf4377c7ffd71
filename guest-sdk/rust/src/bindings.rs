//! What wit-bindgen makes of the WIT files: the only place that knows how a
//! batch crosses from the host and back.

wit_bindgen::generate!({
    path: "wit",
    world: "projector",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "__export_projector",
    default_bindings_module: "::lantern_sdk::__private::bindings",
    runtime_path: "::lantern_sdk::__private::wit_bindgen::rt",
});
