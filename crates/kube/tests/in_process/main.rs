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

scenarios::each!(in_process);
