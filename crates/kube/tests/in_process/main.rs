//! The scenarios on the in-process API server, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod dry_run;
mod election;
mod faults;
#[path = "../scenarios/mod.rs"]
mod scenarios;

use vexil_testbed_apiserver::{ApiServer, Clock};

macro_rules! in_process {
    ($($name:ident)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let server = ApiServer::new(Clock::default());
            scenarios::run(server.client(), &stringify!($name).replace('_', "-"), scenarios::$name).await;
        }
    )*};
}

in_process! {
    an_object_comes_changes_and_goes
    listed_and_watched_objects_have_the_same_shape
    kinds_are_watched_side_by_side
    a_live_list_selects_by_label
    a_read_returns_whole_objects_and_absence
    our_own_writes_are_seen_at_once_and_never_undone
    writes_on_what_has_changed_are_refused
    writes_on_another_life_of_the_object_are_refused
    an_existing_object_is_not_created_again
    refusals_say_what_to_do
    an_event_is_recorded_once
    a_kind_comes_and_goes_while_we_run
    a_version_that_is_not_served_is_not_known
    a_status_field_that_the_definition_drops_is_reported
    a_definition_that_learns_a_field_is_gone_by_at_once
    a_dropped_field_is_reported_and_written_when_it_can_be
    a_definition_that_is_replaced_by_an_older_one_is_gone_by
    what_the_api_server_fills_in_is_not_reported
    what_a_conversion_loses_is_told
    a_canary_written_in_the_old_version_loses_nothing_on_the_way
    a_canary_of_today_is_whole_in_the_old_version
    what_the_old_version_admitted_is_admitted_and_gets_its_status
}
