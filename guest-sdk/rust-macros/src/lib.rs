//! The derives and the attribute of `lantern-sdk`. Use them through that crate,
//! which also documents them.
//!
//! - `table.rs`: a struct is a row: its declaration, its key, its columns.
//! - `index.rs`: the indexes among its declaration.
//! - `events.rs`: an enum is the events a projector knows.
//! - `projector.rs`: a function is a projector, and the component's export.

mod events;
mod index;
mod projector;
mod table;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a struct a row of a table. See `lantern_sdk::Table`.
#[proc_macro_derive(Table, attributes(table, key, column))]
pub fn derive_table(input: TokenStream) -> TokenStream {
    finish(table::expand(&parse_macro_input!(input)))
}

/// Makes an enum the events of a projector, one variant per event type.
///
/// `#[event("order.created")]` on a variant names its event type; several names
/// and beginnings followed by `*` are allowed. `#[event(other)]` marks the
/// variant for every other type; the projector then gets all events, unless its
/// `types(..)` say which. Events without a variant are passed over.
///
/// The payload is read with serde: a variant with fields takes them from the
/// JSON object, a variant around one value takes the whole payload, a variant
/// without fields does not look at it. `#[serde(..)]` works on the enum, on
/// variants and on fields. Fields of type `&'a str`, `Cow<'a, str>` and
/// `Option<Cow<'a, str>>` borrow from the batch; prefer `Cow`, since a `&str`
/// cannot hold a text with escapes.
#[proc_macro_derive(Events, attributes(event, serde))]
pub fn derive_events(input: TokenStream) -> TokenStream {
    finish(events::expand(&parse_macro_input!(input)))
}

/// Makes a function a projector, and exports it when compiled to WebAssembly.
///
/// The function takes an `Event` of an enum that derives `Events`, and
/// `&mut Rows`; it returns nothing or a `Result`. In its place stands a
/// function of the same name that returns the projector, for
/// `lantern_sdk::testing`.
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `name = "orders"` | `[a-z][a-z0-9_]*`, at most 40 characters | the function's name |
/// | `version = "1.0.0"` | a new one is rebuilt from the first event | the crate's version |
/// | `tables(Order, Item)` | the tables it owns | required |
/// | `types("order.*")` | the event types it wants | those of the enum |
/// | `streams("order-*")` | the streams it wants | all |
/// | `tenants("eu", "us")` | the tenants it wants | all |
/// | `needs(ids, streams, metadata)` | parts of an event to send along | none |
/// | `order(entity = "$.order_id", version = "$.version")` | events of an entity come in the order of its versions | that of the log |
/// | `lookup(Customer, types("order.*"), key("$.customer_id"))` | rows that these events will need, by where the parts of the key stand; a hint, any number of them | none |
#[proc_macro_attribute]
pub fn projector(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments);
    finish(projector::expand(&arguments, parse_macro_input!(item)))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
