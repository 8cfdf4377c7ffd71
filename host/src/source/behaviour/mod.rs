//! How every event store behaves, whatever its database.
//!
//! One suite, run once for each of them: a database gives a [`Bench`], which
//! makes fresh stores.

pub(super) mod appending;
mod bench;
pub(super) mod importing;
pub(super) mod inline;
pub(super) mod listening;
pub(super) mod reading;

pub(super) use bench::*;

/// Runs the whole suite, a fresh database for each case. A bench that is not there
/// has said why.
macro_rules! suite {
    ($new:path; $($module:ident :: { $($case:ident),* $(,)? })*) => { $($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(bench) = $new().await {
                $crate::source::behaviour::$module::$case(&bench).await;
            }
        }
    )*)* };
}

/// Makes a test of each case, for the database that `$new` makes a bench of.
macro_rules! event_store_behaviour {
    ($new:path) => {
        $crate::source::behaviour::suite! { $new;
            appending::{
                several_streams_in_one_append_have_their_own_versions,
                an_unexpected_version_appends_nothing,
                a_stream_may_be_expected_without_being_appended_to,
                a_known_event_is_not_appended_again,
                an_event_that_cannot_be_kept_is_named_and_nothing_is_appended,
                concurrent_appenders_of_two_handles_lose_and_skip_nothing,
                a_store_that_stays_busy_says_that_it_may_be_tried_again,
                streams_are_listed_by_their_beginning,
            }
            importing::{
                a_bad_line_means_that_nothing_is_kept,
                an_import_shows_at_once_and_only_when_finished,
                an_import_that_failed_cannot_be_finished,
                what_is_exported_can_be_imported,
            }
            inline::{
                inline_work_sees_each_append_before_its_end,
                whoever_cannot_follow_takes_the_append_back,
                nobody_appends_without_the_inline_work,
                appends_in_flight_are_followed_before_the_list_changes,
                appends_wait_while_they_are_held_and_no_longer,
            }
            listening::{
                an_append_of_another_handle_is_news_to_every_subscriber,
                subscribers_learn_that_the_store_is_gone,
            }
            reading::{
                every_column_is_read_as_it_was_appended,
                what_is_not_needed_is_not_read,
                filters_let_through_what_they_say,
                streams_are_wanted_by_name_by_path_and_by_tenant,
                a_filter_learns_names_that_come_later,
                a_filter_that_lets_nothing_through_moves_on_in_bounded_steps,
                a_page_ends_at_either_limit,
            }
        }
    };
}

pub(super) use {event_store_behaviour, suite};
