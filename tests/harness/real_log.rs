//! The large log of incidents, which is no part of the checkout.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::host::TestHost;
use super::places::root;
use super::rows::Reader;

/// A real log of events, and what a right projection of it gives.
#[derive(Debug, Clone)]
pub(crate) struct RealLog {
    /// CloudEvents as JSON lines, gzip.
    pub(crate) events: PathBuf,
    /// What comes of them.
    pub(crate) expected: Value,
}

impl RealLog {
    /// Finds the log: the file that `LANTERN_REAL_LOG` names, or
    /// `shared/data/incidents.jsonl.gz` beside the checkout.
    pub(crate) fn find() -> Option<Self> {
        let named = std::env::var_os("LANTERN_REAL_LOG").map(PathBuf::from);
        let beside = root()
            .parent()
            .map(|parent| parent.join("shared/data/incidents.jsonl.gz"));
        let events = named.or(beside).filter(|file| file.exists())?;
        let expected = std::fs::read_to_string(events.with_file_name("incidents.expected.json"));
        let expected = expected.expect("the log has its expected results beside it");
        Some(Self {
            events,
            expected: serde_json::from_str(&expected).expect("the expected results are JSON"),
        })
    }

    /// Finds the log for a test that makes no sense without. When there is none,
    /// says so.
    pub(crate) fn find_for(test: &str) -> Option<Self> {
        let found = Self::find();
        if found.is_none() {
            super::skipped(
                test,
                "the real log is not here; put it into shared/data/ beside the checkout, \
                 or name it in LANTERN_REAL_LOG",
            );
        }
        found
    }

    /// How many events it has.
    pub(crate) fn len(&self) -> i64 {
        let count = &self.expected["incident_summaries"]["sum_event_count"];
        count
            .as_i64()
            .expect("the expected results count the events")
    }

    /// Asserts that the read models hold exactly what they should: all counts,
    /// and the rows themselves by their digest.
    pub(crate) fn assert_projected(&self, host: &TestHost) {
        let reader = &host.reader();
        let summaries = &self.expected["incident_summaries"];
        let number = |sql: &str| {
            reader
                .value(sql)
                .unwrap_or_else(|error| panic!("`{sql}`: {error}"))
        };
        assert_eq!(
            number("SELECT count(*) FROM incident_summaries"),
            summaries["rows"]
        );
        assert_eq!(
            number("SELECT sum(event_count) FROM incident_summaries"),
            summaries["sum_event_count"]
        );
        assert_eq!(
            number("SELECT sum(handoffs) FROM incident_summaries"),
            summaries["sum_handoffs"]
        );
        for column in ["status", "substatus", "tenant"] {
            let sql = format!("SELECT {column}, count(*) FROM incident_summaries GROUP BY 1");
            assert_most_common(reader, &sql, &summaries[&format!("by_{column}")]);
        }
        let load = &self.expected["product_load"];
        assert_eq!(number("SELECT count(*) FROM product_load"), load["rows"]);
        assert_most_common(
            reader,
            "SELECT product, incidents FROM product_load",
            &load["top"],
        );
        assert_eq!(
            self.digest(host),
            summaries["sha256_of_tsv"],
            "the rows of incident_summaries"
        );
    }

    /// The digest of the summaries, written as the expected results say. Asked of
    /// Lantern, which shows times as the events have them: to the millisecond.
    fn digest(&self, host: &TestHost) -> Value {
        let columns = self.expected["incident_summaries"]["tsv_columns"].as_array();
        let columns: Vec<&str> = columns
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let rows = host
            .command(&["query", "incident_summaries", "--format", "json"])
            .ok()
            .json();
        let mut hash = Sha256::new();
        for row in rows.as_array().into_iter().flatten() {
            let line: Vec<String> = columns.iter().map(|column| text(&row[column])).collect();
            hash.update(line.join("\t") + "\n");
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into()
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Asserts how often names occur. Where there are many, only the most common are
/// in the expected results.
fn assert_most_common(reader: &Reader, sql: &str, expected: &Value) {
    let rows = reader
        .rows(sql)
        .unwrap_or_else(|error| panic!("`{sql}`: {error}"));
    let found: HashMap<&str, &Value> = rows
        .iter()
        .filter_map(|row| Some((row[0].as_str()?, &row[1])))
        .collect();
    let expected = expected
        .as_object()
        .expect("the expected results have counts by name");
    for (name, count) in expected {
        assert_eq!(found.get(name.as_str()), Some(&count), "`{sql}`: {name}");
    }
}
