//! Checks the keys that a projector declares.

use super::indexes::find;
use super::projector::shown;
use super::table::Column;
use super::value::ColumnType;

/// Checks the key of one table against its columns, of which the first few are the
/// host's own and begin the key; says what is wrong.
pub(super) fn check_key(
    raw: &[String],
    columns: &[Column],
    host_columns: usize,
) -> Result<Vec<usize>, String> {
    let mut key: Vec<usize> = (0..host_columns).collect();
    if raw.is_empty() {
        return Err("it has no primary key".into());
    }
    for name in raw {
        let at = find(columns, name)
            .ok_or_else(|| format!("key column `{}` is not declared", shown(name)))?;
        let column = &columns[at];
        if key.contains(&at) {
            return Err(format!("column `{name}` stands twice in the key"));
        }
        if column.nullable {
            return Err(format!("key column `{name}` must not be nullable"));
        }
        if let Some(instead) = no_equality(column.column_type) {
            return Err(format!(
                "key column `{name}` is of type {}, which has no reliable equality; use {instead}",
                column.column_type
            ));
        }
        key.push(at);
    }
    Ok(key)
}

/// What can be a key instead of a type whose values are equal in one place and not
/// in another: 1.0 and 1.00 are one decimal and two texts.
fn no_equality(column_type: ColumnType) -> Option<&'static str> {
    match column_type {
        ColumnType::Decimal => Some("a text, or an integer of the smallest unit, such as cents"),
        ColumnType::Float | ColumnType::Json => Some("a text or an integer"),
        ColumnType::Boolean
        | ColumnType::Integer
        | ColumnType::Text
        | ColumnType::Bytes
        | ColumnType::Timestamp
        | ColumnType::Uuid => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RawDescription, RawTable};

    /// What is said against a table with a key of these types.
    fn said(types: &[ColumnType]) -> String {
        let names: Vec<String> = (0..types.len()).map(|i| format!("k{i}")).collect();
        let columns = names.iter().zip(types);
        let table = RawTable {
            name: "prices".into(),
            columns: columns
                .map(|(name, of)| (name.clone(), *of, false))
                .collect(),
            key: names.clone(),
            ..RawTable::default()
        };
        let raw = RawDescription {
            name: "prices".into(),
            version: "1.0.0".into(),
            tables: vec![table],
            ..RawDescription::default()
        };
        raw.check()
            .map_or_else(|error| error.to_string(), |_| "sound".into())
    }

    #[test]
    fn a_key_is_of_types_with_equality() {
        use ColumnType as T;

        let sound = [
            T::Boolean,
            T::Integer,
            T::Text,
            T::Bytes,
            T::Timestamp,
            T::Uuid,
        ];
        assert_eq!(said(&sound), "sound");
        for refused in [T::Decimal, T::Float, T::Json] {
            for key in [vec![refused], vec![T::Text, refused]] {
                let said = said(&key);
                let what = format!("key column `k{}` is of type {refused}", key.len() - 1);
                assert!(said.contains(&what), "{said}");
            }
        }
        let of_decimal = said(&[T::Decimal]);
        let instead = "use a text, or an integer of the smallest unit, such as cents";
        assert!(of_decimal.ends_with(instead), "{of_decimal}");
    }
}
