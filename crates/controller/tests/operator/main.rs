//! The operator on a cluster in the process: real requests, virtual time, no sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod adoption;
mod alerts;
mod altered_writes;
mod autoscalers;
mod cluster;
mod colliding_names;
mod combined_edits;
mod config_tracking;
mod core_services;
mod crashes;
mod daemon_sets;
mod dashboards;
mod deletion;
mod dry_run;
mod edits;
mod existing_primaries;
mod faults;
mod gates;
mod gateway_api;
mod generated_objects;
mod guides;
mod invalid_specs;
mod istio;
mod kind_changes;
mod knative;
mod lasting_waits;
mod limits;
mod linkerd;
mod load;
mod metric_secrets;
mod migrations;
mod misbehaving_servers;
mod nginx;
mod orphaned_routes;
mod pod_labels;
mod rollouts;
mod systems;
mod write_conflicts;

/// The API server in the process copies objects all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
