//! The SQL of a reader.

use super::survey::Survey;
use crate::model::{Envelope, EventFilter, Pattern};

/// What one reader asks, made once.
pub(super) struct Statements {
    /// Events after $1 up to $2 that pass the filter, in order, at most $3.
    pub(super) page: String,
    /// For each stream the versions after $1 up to $2, whatever the types of the
    /// events, as arrays: streams, tenants, lowest, highest, how many. One row of
    /// arrays costs the reader a tenth of a row for each stream. `None` when
    /// pages leave no event of a stream out.
    pub(super) runs: Option<String>,
    /// The first position after $1 up to $2 with an event that concerns anyone.
    pub(super) next: String,
    /// Where each column stands in `page`.
    pub(super) layout: Layout,
    /// Whether a page may look at many events and bring few.
    pub(super) is_selective: bool,
}

/// Where each column stands. Position, type and data are always there, as 0
/// to 2.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub(super) version: Option<usize>,
    pub(super) stream: Option<usize>,
    pub(super) tenant: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) metadata: Option<usize>,
}

impl Statements {
    pub(super) fn new(survey: &Survey, filter: &EventFilter, needs: Envelope) -> Self {
        let (columns, layout) = columns(survey, needs);
        let position = &survey.position.sql;
        let from = &survey.from;
        let range = format!("{position} > $1 AND {position} <= $2");
        let of_table = survey.filter.iter().cloned();

        let tenants = survey.tenant.as_ref().map(|part| part.sql.as_str());
        let streams = survey.stream.as_ref().map(|part| part.sql.as_str());
        let types = one_of(Some(survey.event_type.sql.as_str()), &filter.types);
        let things = [
            one_of(tenants, &filter.tenants),
            one_of(streams, &filter.streams),
        ];
        let things: Vec<String> = of_table.chain(things.into_iter().flatten()).collect();
        let without_types: String = things.iter().map(|it| format!(" AND {it}")).collect();
        let with_types = match &types {
            Some(types) => format!("{without_types} AND {types}"),
            None => without_types.clone(),
        };
        let runs = survey.version.as_ref().filter(|_| types.is_some()).map(|version| {
            format!(
                "SELECT array_agg(s), array_agg(t), array_agg(low), array_agg(high), array_agg(n) \
                 FROM (SELECT {} AS s, {} AS t, min({v})::bigint AS low, max({v})::bigint AS high, \
                 count(*) AS n FROM {from} WHERE {range}{without_types} GROUP BY 1, 2) AS runs",
                streams.unwrap_or("''"),
                tenants.unwrap_or("''"),
                v = version.sql,
            )
        });
        Self {
            page: format!(
                "SELECT {columns} FROM {from} WHERE {range}{with_types} \
                 ORDER BY {position} LIMIT $3"
            ),
            runs,
            next: format!("SELECT min({position})::bigint FROM {from} WHERE {range}"),
            layout,
            is_selective: !with_types.is_empty(),
        }
    }
}

fn columns(survey: &Survey, needs: Envelope) -> (String, Layout) {
    let mut columns = vec![
        survey.position.sql.clone(),
        survey.event_type.sql.clone(),
        survey.data.sql.clone(),
    ];
    let mut place = |sql: Option<&String>, is_asked: bool| {
        let sql = sql.filter(|_| is_asked)?;
        columns.push(sql.clone());
        Some(columns.len() - 1)
    };
    let has_version = survey.version.is_some();
    let layout = Layout {
        version: place(survey.version.as_ref().map(|part| &part.sql), true),
        // The stream is what versions are checked by.
        stream: place(
            survey.stream.as_ref().map(|part| &part.sql),
            needs.streams || has_version,
        ),
        tenant: place(survey.tenant.as_ref().map(|part| &part.sql), true),
        time: place(survey.time.as_ref().map(|part| &part.sql), true),
        id: place(survey.id.as_ref().map(|part| &part.sql), needs.ids),
        metadata: place(
            survey.metadata.as_ref().map(|part| &part.sql),
            needs.metadata,
        ),
    };
    (columns.join(", "), layout)
}

/// The condition that a name is one that patterns mean. `None` when any is.
fn one_of(sql: Option<&str>, patterns: &[Pattern]) -> Option<String> {
    if patterns.is_empty() {
        return None;
    }
    let Some(sql) = sql else {
        // The table has no such name: it is empty for every event.
        let is_meant = patterns.iter().any(|pattern| pattern.matches(""));
        return (!is_meant).then(|| "false".to_owned());
    };
    // No text in the database has a NUL.
    let (beginnings, names): (Vec<&Pattern>, Vec<&Pattern>) = patterns
        .iter()
        .filter(|pattern| !pattern.0.contains('\0'))
        .partition(|pattern| pattern.prefix().is_some());
    let mut any = Vec::new();
    if !names.is_empty() {
        let list: Vec<String> = names.iter().map(|name| literal(&name.0)).collect();
        any.push(format!("{sql}::text IN ({})", list.join(", ")));
    }
    for beginning in beginnings.iter().filter_map(|pattern| pattern.prefix()) {
        any.push(format!("starts_with({sql}::text, {})", literal(beginning)));
    }
    match any.is_empty() {
        true => Some("false".to_owned()),
        false => Some(format!("({})", any.join(" OR "))),
    }
}

/// A text as an SQL literal, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_conditions() {
        let list = |texts: &[&str]| -> Vec<Pattern> {
            texts.iter().map(|text| Pattern((*text).into())).collect()
        };
        assert_eq!(one_of(Some("t"), &[]), None);
        assert_eq!(
            one_of(Some("t"), &list(&["a", "it's", "b\\*"])).unwrap(),
            r"(t::text IN (E'a', E'it''s') OR starts_with(t::text, E'b\\'))"
        );
        assert_eq!(one_of(None, &list(&["a"])).unwrap(), "false");
        assert_eq!(one_of(None, &list(&["*"])), None);
        assert_eq!(one_of(Some("t"), &list(&["a\0"])).unwrap(), "false");
    }
}
