//! What may be assigned to a column, so that a wrong type does not compile.

use std::borrow::Cow;

use serde::Serialize;

use crate::cells::CellWriter;
use crate::decimal::Decimal;
use crate::json::Json;
use crate::value::Value;

/// A value that may be assigned to a column of type `V`.
///
/// To a column of type `String` one may assign `String`, `&String`, `&str` and
/// `Cow<str>`; to a nullable column also an `Option` of these; to any other
/// column its own type and a reference to it.
#[diagnostic::on_unimplemented(
    message = "a column of type `{V}` cannot take a `{Self}`",
    label = "not a value of this column"
)]
pub trait Assign<V> {
    /// Writes the value.
    fn write(self, to: &mut CellWriter<'_>);
}

/// A column type that can be added to.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` cannot be incremented",
    note = "integers, `f64` and `Decimal` can, and these as `Option`"
)]
pub trait Number: Value {}

impl<V: Value> Assign<V> for V {
    #[inline]
    fn write(self, to: &mut CellWriter<'_>) {
        Value::write(&self, to);
    }
}

impl<V: Value> Assign<V> for &V {
    #[inline]
    fn write(self, to: &mut CellWriter<'_>) {
        Value::write(self, to);
    }
}

impl<V: Value> Assign<Option<V>> for V {
    #[inline]
    fn write(self, to: &mut CellWriter<'_>) {
        Value::write(&self, to);
    }
}

impl<V: Value> Assign<Option<V>> for &V {
    #[inline]
    fn write(self, to: &mut CellWriter<'_>) {
        Value::write(self, to);
    }
}

impl<T: Serialize> Assign<Json<T>> for Json<&T>
where
    Json<T>: Value,
{
    fn write(self, to: &mut CellWriter<'_>) {
        self.write_text(to);
    }
}

macro_rules! borrowed {
    ($($column:ty: $method:ident from $($source:ty),*;)*) => {$($(
        impl Assign<$column> for $source {
            #[inline]
            fn write(self, to: &mut CellWriter<'_>) {
                to.$method(&self);
            }
        }

        impl Assign<Option<$column>> for $source {
            #[inline]
            fn write(self, to: &mut CellWriter<'_>) {
                to.$method(&self);
            }
        }

        impl Assign<Option<$column>> for Option<$source> {
            #[inline]
            fn write(self, to: &mut CellWriter<'_>) {
                match self {
                    Some(value) => to.$method(&value),
                    None => to.null(),
                }
            }
        }
    )*)*};
}
borrowed! {
    String: text from &str, Cow<'_, str>, &Cow<'_, str>;
    Vec<u8>: bytes from &[u8], Cow<'_, [u8]>, &Cow<'_, [u8]>;
}

impl Assign<Option<String>> for Option<&String> {
    #[inline]
    fn write(self, to: &mut CellWriter<'_>) {
        Assign::<Option<String>>::write(self.map(String::as_str), to);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(impl Number for $number {})*};
}
numbers!(i64, i32, i16, i8, u64, u32, u16, u8, f64, Decimal);
impl<N: Number> Number for Option<N> {}
