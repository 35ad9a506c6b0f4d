//! How fast the world moves, and over what.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::system::System;
use vexil_testbed_apiserver::Clock;

/// Times of the world and the way its requests travel.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How requests between pods, gateway and hooks travel.
    pub wire: Wire,
    /// From the moment a pod is created until it is ready.
    pub pod_start: Duration,
    /// How long a deleted pod goes on serving, as a `preStop` sleep makes it.
    pub pod_linger: Duration,
    /// From a change of the API's objects until the gateway routes by it.
    pub gateway_delay: Duration,
    /// Time between two scrapes of the gateway's and the pods' metrics.
    pub scrape_interval: Duration,
    /// What splits traffic.
    pub system: System,
    /// Whether its definitions are there from the start; see `Cluster::install_crds`.
    pub install_crds: bool,
    /// The clock; without one it is 2026-01-01T00:00:00Z when the cluster starts.
    pub clock: Option<Clock>,
    /// Over sockets, where the API server listens.
    pub api_address: SocketAddr,
    /// Whether the commands of `cmd` hooks (`hey`) are really carried out; without it they are only accepted.
    pub run_load_hooks: bool,
    /// Whether the controllers also write Endpoints and Events. No request depends on them.
    pub endpoints_and_events: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            wire: Wire::InProcess,
            pod_start: Duration::from_secs(1),
            pod_linger: Duration::from_secs(2),
            gateway_delay: Duration::from_secs(1),
            scrape_interval: Duration::from_secs(5),
            system: System::default(),
            install_crds: true,
            clock: None,
            api_address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            run_load_hooks: false,
            endpoints_and_events: true,
        }
    }
}

/// How requests travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// As function calls: no sockets, so that virtual time can be paused.
    #[default]
    InProcess,
    /// As HTTP/1.1 over TCP on 127.0.0.1.
    Sockets,
}
