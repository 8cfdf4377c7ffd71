//! What a row is, and how its columns and keys are named.

use std::fmt;
use std::marker::PhantomData;

use crate::bindings::lantern::projector::types::Table as Declaration;
use crate::cells::{CellReader, CellWriter};
use crate::error::Result;

/// A struct that is a row of a table. Derived.
///
/// The derive also makes, for a struct `Order` with the key `id: String`:
/// - `Order::key(id: &str)`, the key of a row, for [`Rows`](crate::Rows);
/// - `Order::status`, one constant per column outside the key, for
///   [`Patch::set`](crate::Patch::set) and [`Increment::by`](crate::Increment::by).
///
/// On the struct, `#[table(..)]` takes:
///
/// | | |
/// |---|---|
/// | `name = "orders"` | the name readers use; else the struct's, in snake case |
/// | `index(status)`, `index(customer_id, created_at desc)` | an index |
/// | `index(items -> "$.supplier_id")` | an index on a member of a json column |
/// | `unique(number)` | an index under which no two rows are equal; in a tenant-keyed table, no two of one tenant |
/// | `text(title, body)` | the index by whose words rows are found; of texts, one per table |
/// | `guarded` | rows carry an entity version: see [`Guarded`] |
/// | `tenant_keyed` | the host adds the event's tenant to the key |
/// | `stream_keyed` | the host adds the event's stream to the key |
///
/// On a field: `#[key]`, for one field at least, and `#[column(name = "..")]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no table", note = "derive `Table` on it")]
pub trait Table: Sized {
    /// The key of a row.
    type Key<'k>: Key
    where
        Self: 'k;

    /// The columns outside the key, as indices, in order.
    #[doc(hidden)]
    const VALUES: &'static [u16];
    /// Whether commands carry an entity version.
    #[doc(hidden)]
    const GUARDED: bool;

    /// What the projector says of the table.
    #[doc(hidden)]
    fn declaration() -> Declaration;

    /// The key of this row.
    fn to_key(&self) -> Self::Key<'_>;

    /// Writes the columns outside the key, in order.
    #[doc(hidden)]
    fn write(&self, to: &mut CellWriter<'_>);

    /// Reads all columns, in order.
    #[doc(hidden)]
    fn read(from: &mut CellReader<'_>) -> Result<Self>;
}

/// The key of a row: what `Order::key(..)` makes.
pub trait Key: Copy {
    /// The table whose row it is.
    type Table: Table;

    /// Writes the key's columns, in order.
    #[doc(hidden)]
    fn write(self, to: &mut CellWriter<'_>);
}

/// A table that a projector owns: one that its `tables(..)` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table of this projector",
    note = "name it in `#[projector(tables(..))]`"
)]
pub trait Owned: Table {
    /// The place in the projector's list of tables.
    #[doc(hidden)]
    const INDEX: u16;
}

/// A table whose rows carry an entity version: `#[table(guarded)]`.
///
/// A command on such a table is ignored unless its version is greater than the
/// one stored with the row, so that events which come twice or out of order do
/// no harm. The version is the event's own, unless `.guard(version)` names
/// another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guarded table",
    note = "write `#[table(guarded)]`"
)]
pub trait Guarded: Table {}

/// A column of table `T` that holds a `V`, such as `Order::status`.
///
/// A value of another type does not compile, nor does a column of another table
/// or one that is not there:
///
/// ```compile_fail,E0277
/// # use lantern_sdk::prelude::*;
/// #[derive(Table)]
/// struct Order {
///     #[key]
///     id: i64,
///     status: String,
/// }
///
/// #[projector(tables(Order))]
/// fn orders(event: Event<()>, rows: &mut Rows) {
///     rows.patch(Order::key(1)).set(Order::status, 7);
/// }
/// ```
pub struct Column<T, V> {
    pub(crate) index: u16,
    of: PhantomData<fn() -> (T, V)>,
}

impl<T, V> Column<T, V> {
    #[doc(hidden)]
    pub const fn new(index: u16) -> Self {
        Self {
            index,
            of: PhantomData,
        }
    }
}

impl<T, V> Clone for Column<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Column<T, V> {}

impl<T, V> fmt::Debug for Column<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}", self.index)
    }
}
