//! Which Rust types a column can hold.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;

use crate::cells::{CellReader, CellWriter};
use crate::error::{Error, Result};

pub use crate::bindings::lantern::projector::types::ColumnType;

/// A Rust type that a column can hold.
///
/// | Rust | column type |
/// |---|---|
/// | `bool` | boolean |
/// | `i64`, `i32`, `i16`, `i8`, `u64`, `u32`, `u16`, `u8` | integer |
/// | `f64` | float |
/// | `String`, `Cow<str>` | text |
/// | `Vec<u8>`, `Cow<[u8]>` | bytes |
/// | [`Timestamp`](crate::Timestamp) | timestamp |
/// | [`Decimal`](crate::Decimal) | decimal |
/// | [`Uuid`](crate::Uuid) | uuid |
/// | [`Json<T>`](crate::Json) | json |
/// | `Option<T>` | as `T`, nullable |
///
/// A newtype of yours becomes a column type when it implements this trait by
/// asking the type it wraps.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a column",
    note = "wrap structures in `Json<..>`, times in `Timestamp`, exact numbers in `Decimal`"
)]
pub trait Value: Sized {
    /// The type of the column.
    const TYPE: ColumnType;
    /// Whether the column allows null.
    const NULLABLE: bool = false;
    /// The same value without borrowed parts: the type under which
    /// [`Patch::set`](crate::Patch::set) knows the column. `Self`, as a rule.
    type Stored: Value;

    /// Writes the value.
    fn write(&self, to: &mut CellWriter<'_>);

    /// Reads the value back.
    ///
    /// # Errors
    ///
    /// Fails when the row holds something else.
    fn read(from: &mut CellReader<'_>) -> Result<Self>;
}

/// A Rust type that a key column can hold: one that is never null and whose
/// equal values are written equally.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a key column",
    note = "keys are integers, booleans, texts, bytes, `Timestamp` or `Uuid`, and never null"
)]
pub trait KeyValue: Value {
    /// The value as [`Table`](crate::Table) keys take it: `&str` for a
    /// `String`, `i64` for an `i64`.
    type Ref<'r>: Copy + Debug + Eq + Hash
    where
        Self: 'r;

    /// The value as a key takes it.
    fn as_key(&self) -> Self::Ref<'_>;

    /// Writes the value.
    fn write_key(key: Self::Ref<'_>, to: &mut CellWriter<'_>);
}

impl Value for bool {
    const TYPE: ColumnType = ColumnType::Boolean;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.boolean(*self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.boolean()
    }
}

impl Value for f64 {
    const TYPE: ColumnType = ColumnType::Float;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.float(*self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.float()
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            const TYPE: ColumnType = ColumnType::Integer;
            type Stored = Self;

            #[inline]
            fn write(&self, to: &mut CellWriter<'_>) {
                to.integer(i64::from(*self));
            }

            fn read(from: &mut CellReader<'_>) -> Result<Self> {
                let value = from.integer()?;
                Self::try_from(value).map_err(|_| {
                    Error::new(format_args!("{value} does not fit into {}", stringify!($integer)))
                })
            }
        }
    )*};
}
integers!(i64, i32, i16, i8, u32, u16, u8);

/// # Panics
///
/// Writing panics past 2⁶³ − 1, the most that an integer column holds.
impl Value for u64 {
    const TYPE: ColumnType = ColumnType::Integer;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        let Ok(value) = i64::try_from(*self) else {
            panic!("{self} is more than an integer column holds (2^63 - 1)");
        };
        to.integer(value);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        let value = from.integer()?;
        Self::try_from(value).map_err(|_| Error::new(format_args!("{value} does not fit into u64")))
    }
}

impl Value for String {
    const TYPE: ColumnType = ColumnType::Text;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.text(self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.text().map(str::to_owned)
    }
}

impl Value for Cow<'_, str> {
    const TYPE: ColumnType = ColumnType::Text;
    type Stored = String;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.text(self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        String::read(from).map(Cow::Owned)
    }
}

impl Value for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.bytes(self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.bytes().map(<[u8]>::to_vec)
    }
}

impl Value for Cow<'_, [u8]> {
    const TYPE: ColumnType = ColumnType::Bytes;
    type Stored = Vec<u8>;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.bytes(self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        Vec::read(from).map(Cow::Owned)
    }
}

impl<V: Value> Value for Option<V> {
    const TYPE: ColumnType = V::TYPE;
    const NULLABLE: bool = true;
    type Stored = Option<V::Stored>;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        match self {
            Some(value) => value.write(to),
            None => to.null(),
        }
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        if from.null() {
            Ok(None)
        } else {
            V::read(from).map(Some)
        }
    }
}

macro_rules! keys_by_value {
    ($($key:ty),*) => {$(
        impl KeyValue for $key {
            type Ref<'r>
                = Self
            where
                Self: 'r;

            #[inline]
            fn as_key(&self) -> Self {
                *self
            }

            #[inline]
            fn write_key(key: Self, to: &mut CellWriter<'_>) {
                key.write(to);
            }
        }
    )*};
}
keys_by_value!(
    bool,
    i64,
    i32,
    i16,
    i8,
    u64,
    u32,
    u16,
    u8,
    crate::Timestamp,
    crate::Uuid
);

macro_rules! keys_by_reference {
    ($($key:ty, $reference:ty, $write:ident);*) => {$(
        impl KeyValue for $key {
            type Ref<'r>
                = &'r $reference
            where
                Self: 'r;

            #[inline]
            fn as_key(&self) -> &$reference {
                self
            }

            #[inline]
            fn write_key(key: &$reference, to: &mut CellWriter<'_>) {
                to.$write(key);
            }
        }
    )*};
}
keys_by_reference!(
    String, str, text;
    Cow<'_, str>, str, text;
    Vec<u8>, [u8], bytes;
    Cow<'_, [u8]>, [u8], bytes
);
