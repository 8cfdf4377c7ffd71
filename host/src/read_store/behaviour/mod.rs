//! How every read store behaves, whatever its database.
//!
//! One suite, run once for each of them: a database gives a [`Bench`], which
//! makes fresh stores and does the few things that only its own SQL can.

pub(super) mod bench;
pub(super) mod claims;
pub(super) mod commits;
pub(super) mod dead_letters;
pub(super) mod generations;
pub(super) mod parts;
pub(super) mod questions;
pub(super) mod records;
pub(super) mod swaps;
pub(super) mod texts;
pub(super) mod unique;
pub(super) mod waiting;

pub(super) use bench::{Bench, Poller};

/// Runs the whole suite, a fresh database for each case.
macro_rules! suite {
    ($new:path; $($module:ident :: { $($case:ident),* $(,)? })*) => { $($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            // None where the database is not installed, which has been said.
            let Some(bench) = $new().await else { return };
            $crate::read_store::behaviour::$module::$case(&bench).await;
        }
    )*)* };
}

/// Makes a test of each case, for the database that `$new` makes a bench of.
macro_rules! read_store_behaviour {
    ($new:path) => {
        $crate::read_store::behaviour::suite! { $new;
            commits::{
                a_commit_stores_rows_and_checkpoint,
                values_of_every_type_come_back,
                a_put_replaces_the_whole_row,
                every_reason_for_a_fence_is_told,
                a_fenced_commit_stores_nothing,
                several_partitions_move_each_on_its_own,
                tombstones_are_kept_but_not_shown,
                readers_survive_changes_elsewhere,
            }
            claims::{
                a_claim_knows_whether_the_tables_are_empty,
                a_new_claim_ends_the_former,
                a_lease_keeps_other_hosts_out,
                a_release_of_what_is_gone_is_no_error,
                adopting_another_component_ends_the_claim,
            }
            unique::{
                a_violation_names_table_and_columns,
                a_violation_in_rows_that_are_there_fails_the_index,
                a_value_may_move_between_rows_in_one_commit,
                a_row_that_is_written_over_has_its_newest_version,
                a_tombstone_holds_no_value_back,
                rows_under_a_path_are_unique,
                each_tenant_has_unique_values_of_its_own,
                tenants_that_share_a_value_have_their_index_made,
            }
            generations::{
                the_first_generation_is_live_at_once,
                a_name_has_one_owner,
                a_stranger_keeps_its_name,
                a_new_build_replaces_the_unfinished_one,
                an_abandoned_generation_leaves_nothing,
                a_dropped_projector_leaves_nothing,
                many_generations_are_indexed_at_once,
                leftovers_are_swept,
                a_decision_that_was_overtaken_is_refused,
            }
            swaps::{
                a_swap_waits_for_the_checkpoint,
                a_swap_changes_the_set_of_tables,
                a_roll_back_returns_the_former_rows,
                a_swap_respects_a_stranger_that_came_meanwhile,
                readers_never_see_a_swap_half_done,
            }
            parts::{
                a_part_takes_the_place_of_its_rows_and_of_no_others,
                a_part_must_stand_where_the_live_rows_stand,
                a_part_at_odds_with_others_rows_changes_nothing,
                a_tenants_part_never_meets_others_unique_values,
                a_part_comes_into_tables_that_never_had_a_row,
                a_rewind_goes_back_and_pauses,
                rows_are_counted_and_fills_are_kept,
            }
            records::{
                the_revision_counts_changes_of_records_only,
                records_are_shared_between_handles,
                a_checkpoint_can_be_asked_for_alone,
                the_last_run_is_kept,
                failures_and_wishes_are_kept,
                the_size_grows_with_the_rows,
                passed_gaps_are_kept,
                components_are_kept_for_other_hosts,
            }
            dead_letters::{
                dead_letters_are_stored_with_the_checkpoint,
                what_is_asked_of_dead_letters_is_told_until_it_is_done,
            }
            waiting::{
                waiting_events_are_stored_with_the_checkpoint,
                the_host_has_a_table_of_its_own_in_a_generation,
            }
            questions::{
                conditions_and_order_are_followed,
                values_are_compared_by_type,
                a_bad_question_says_what_there_is,
            }
            texts::{
                rows_are_found_by_all_words_whatever_their_case,
                words_change_with_their_row,
                tombstones_are_not_found,
                each_generation_has_its_words,
                the_name_for_searching_has_one_owner,
                a_search_without_words_is_refused,
                words_are_runs_of_letters_and_digits,
            }
        }
    };
}

pub(super) use {read_store_behaviour, suite};
