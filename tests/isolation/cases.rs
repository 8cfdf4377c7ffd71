//! Who misbehaves, and how it must end. A new guest needs a line here, and no
//! code.

/// A misbehaving guest.
pub(super) struct Case {
    /// Its component, without `.wasm`; a sound name is its projector's, too.
    pub(super) guest: &'static str,
    /// How it must end.
    pub(super) ends: Ends,
    /// What the operator must read about it.
    pub(super) says: &'static [&'static str],
}

/// How a misbehaving guest ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It never becomes a projector.
    Refused,
    /// It stops at the poison; what comes before is applied.
    Stopped,
    /// It stops at the first event that it gets.
    StoppedAtOnce,
    /// It goes on like any other.
    Harmless,
}

use Ends::{Harmless, Refused, Stopped, StoppedAtOnce};

const fn case(guest: &'static str, ends: Ends, says: &'static [&'static str]) -> Case {
    Case { guest, ends, says }
}

/// Those that run side by side, and all beside one healthy neighbour.
// One line a case reads best.
#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    // ---- it traps
    case("traps_unreachable", Stopped, &["trapped", "unreachable"]),
    case("reads_out_of_bounds", Stopped, &["trapped", "out of bounds"]),
    case("divides_by_zero", Stopped, &["trapped", "divide by zero"]),
    case("overflows_the_stack", Stopped, &["trapped", "stack"]),
    case("calls_by_the_wrong_type", Stopped, &["trapped", "indirect call"]),
    case("answers_past_its_memory", Stopped, &["out of bounds"]),
    case("answers_in_no_alphabet", Stopped, &["utf-8"]),
    // ---- it panics
    case("panics", Stopped, &["panicked", "the probe is poisoned: 42", "examples/panics.rs:"]),
    case("panics_at_length", Stopped, &["panicked", "so much to say so much to say"]),
    case("panics_in_colour", Stopped, &["panicked", "]0;owned", "red"]),
    case("panics_silently", Stopped, &["trapped", "unreachable"]),
    // ---- it does not end
    case("loops", Stopped, &["did not finish within", "limits.batch_ms"]),
    case("loops_when_given_memory", StoppedAtOnce, &["did not finish within", "limits.batch_ms"]),
    case("loops_in_describe", Refused, &["`describe` failed", "limits.load_ms"]),
    case("loops_at_start", Refused, &["`describe` failed", "limits.load_ms"]),
    // ---- it eats memory
    case("grows_its_memory", Stopped, &["MiB of memory", "limits.memory_mib"]),
    case("allocates_at_once", Stopped, &["MiB of memory", "limits.memory_mib"]),
    case("allocates_in_crumbs", Stopped, &["MiB of memory", "limits.memory_mib"]),
    case("declares_a_gigabyte", Refused, &["MiB of memory", "limits.memory_mib"]),
    // ---- it returns an error
    case("refuses_the_event", Stopped, &["refused the event", "no such order: o-17"]),
    case("refuses_another_event", Stopped, &["it was another"]),
    case("refuses_at_length", Stopped, &["refused the event", "no! "]),
    // ---- it sends broken commands
    case("sends_ten_million_commands", Stopped, &["more than 50000 commands", "limits.commands"]),
    case("sends_too_many_bytes", Stopped, &["sent more than", "limits.sent_mib"]),
    case("lists_disagree", Stopped, &["broken commands", "different lengths"]),
    case("invents_an_operation", Stopped, &["broken commands", "200 is not an operation"]),
    case("invents_a_tag", Stopped, &["99 is not the tag of a value"]),
    case("leaves_out_the_key", Stopped, &["fewer values"]),
    case("sends_too_many_values", Stopped, &["more columns or values"]),
    case("text_ends_descend", Stopped, &["do not ascend"]),
    case("text_ends_cut_a_character", Stopped, &["cut a character in two"]),
    case("text_ends_overrun", Stopped, &["past the last byte"]),
    // ---- it sends wrong commands
    case("names_no_table", Stopped, &["wrong command", "table 7", "does not declare"]),
    case("names_no_column", Stopped, &["column 65535", "`names_no_column`", "does not declare"]),
    case("changes_a_key", Stopped, &["`position`", "part of the key"]),
    case("deletes_with_values", Stopped, &["is a delete and carries values"]),
    case("guards_without_need", Stopped, &["not declared as guarded"]),
    case("answers_no_event", Harmless, &[]),
    // ---- it sends wrong values
    case("sends_the_wrong_type", Stopped, &["`amount`", "type integer cannot hold the text \"many\""]),
    case("sends_null", Stopped, &["`note`", "would be null"]),
    case("sends_nan", Stopped, &["`share`", "NaN"]),
    case("sends_broken_json", Stopped, &["`document`", "not a valid json"]),
    case("sends_a_broken_uuid", Stopped, &["`reference`", "not a valid uuid"]),
    case("sends_a_broken_timestamp", Stopped, &["`moment`", "not a valid timestamp"]),
    case("sends_a_broken_decimal", Stopped, &["`price`", "not a valid decimal"]),
    case("increments_a_text", Stopped, &["`note`", "cannot be incremented"]),
    case("overflows_a_sum", Stopped, &["`amount`", "out of the range"]),
    case("stretches_every_value", Harmless, &[]),
    // ---- it reads what it must not
    case("asks_for_four_billion_rows", Stopped, &["asked for 4294967295 rows"]),
    case("asks_for_no_table", Stopped, &["read of rows is wrong", "table 3"]),
    case("asks_with_broken_keys", Stopped, &["read of rows is wrong", "`position`"]),
    case("asks_while_describing", Refused, &["`describe` failed"]),
    case("asks_for_the_tenant_in_a_key", Stopped, &["read of rows is wrong", "`position`"]),
    case("steals_from_tenants", Harmless, &[]),
    // ---- it writes what it must not
    case("names_the_tenant_in_a_key", Stopped, &["`position`"]),
    case("sets_the_tenant", Stopped, &["column 8", "does not declare"]),
    case("declares_the_tenant", Refused, &["`tenant` is declared twice", "tenant-keyed table"]),
    // ---- it floods the log
    case("floods_the_log", Harmless, &[]),
    case("logs_at_length", Harmless, &[]),
    case("logs_in_colour", Harmless, &[]),
    // ---- it says of itself what must not be
    case("injects_sql_by_table", Refused, &["table name", "lower-case letter"]),
    case("injects_sql_by_column", Refused, &["column name", "lower-case letter"]),
    case("injects_sql_by_path", Refused, &["index path", "not of the form"]),
    case("indexes_a_broken_path", Refused, &["index path", "not of the form"]),
    case("indexes_without_end", Refused, &["index"]),
    case("names_itself_at_length", Refused, &["projector name", "10000 bytes"]),
    case("names_itself_not", Refused, &["projector name", "is empty"]),
    case("names_itself_like_the_host", Refused, &["kept for the host"]),
    case("takes_a_reserved_word", Refused, &["`select`", "SQL reserves"]),
    case("takes_anothers_table", Refused, &["`order_totals` already belongs to"]),
    case("takes_anothers_name", Refused, &["already comes from `order_totals.wasm`"]),
    case("declares_a_table_twice", Refused, &["declared twice"]),
    case("declares_a_column_twice", Refused, &["`note` is declared twice"]),
    case("declares_no_table", Refused, &["declares no table"]),
    case("declares_ten_thousand_tables", Refused, &["10000 tables", "most allowed"]),
    case("declares_an_unknown_type", Refused, &["`describe` failed"]),
    case("keys_on_no_column", Refused, &["key column", "not declared"]),
    case("keys_on_a_float", Refused, &["no reliable equality"]),
    case("has_no_version", Refused, &["not a semantic version"]),
    case("has_a_version_without_end", Refused, &["not a semantic version"]),
    case("is_as_wide_as_it_may", Harmless, &[]),
    case("describes_itself_anew", Harmless, &[]),
    case("breaks_a_unique_index", Harmless, &[]), // until it is asked to: see `assert_a_unique_index_holds`
    // ---- it depends on more than its events
    case("keeps_state", Harmless, &[]),
    case("seeks_chance", Harmless, &[]),
    // ---- it is no projector (`wat/` and `oddities.rs`)
    case("asks_for_the_clock", Refused, &["wasi:clocks/wall-clock@0.2.9", "no files, clock, network"]),
    case("asks_for_the_network", Refused, &["wasi:sockets/tcp@0.2.9", "no files, clock, network"]),
    case("asks_for_mail", Refused, &["acme:mail/outbox@1.0.0", "is not given"]),
    case("is_of_another_world", Refused, &["exports no `lantern:projector/projection`"]),
    case("is_of_a_newer_world", Refused, &["built for lantern:projector 0.2.0", "update the host"]),
    case("is_of_the_right_name_only", Refused, &["does not fit the interface"]),
    case("is_a_core_module", Refused, &["core WebAssembly module", "`lantern build`"]),
    case("wants_a_large_address_space", Refused, &["not a valid component", "memory"]),
    case("wants_threads", Refused, &["not a valid component"]),
    case("is_cut_off", Refused, &["not a valid component"]),
    case("is_empty", Refused, &["not a WebAssembly file"]),
    case("is_a_text", Refused, &["not a WebAssembly file"]),
];

/// Those that turn the host's own memory against it. Each gets a host of its
/// own, so that it is known whose memory it was.
pub(super) const HUNGRY: &[Case] = &[
    case("asks_for_a_million_rows", Stopped, &["limits."]),
    case(
        "asks_for_one_row_many_times",
        Stopped,
        &["at once; ask for fewer"],
    ),
    case("hoards_in_the_host", Stopped, &["limits."]),
];

/// Those that are mended, with `<guest>_fixed`.
pub(super) const MENDED: [&str; 3] = ["panics", "loops", "names_no_table"];
