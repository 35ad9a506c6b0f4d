//! A Kubernetes API server in the process.
//!
//! [`ApiServer`] answers as a real one of version 1.35 does, over TCP ([`ApiServer::listen`]) and, without sockets and
//! on virtual time, as the service behind a [`kube::Client`] ([`ApiServer::client`]).

mod answer;
mod audit;
mod crd;
mod discovery;
mod errors;
mod faults;
mod gc;
mod ids;
mod json;
mod kinds;
mod list;
mod managed;
mod openapi;
mod output;
mod patch;
mod registry;
mod request;
mod scale;
mod schema;
mod select;
mod serve;
mod server;
mod service;
mod state;
mod store;
mod table;
mod watch;
mod write;

pub use audit::{Audit, AuditEntry};
pub use faults::{Fault, FaultAction, Faults, Loss, Matcher};
pub use serve::Listening;
pub use server::{ApiServer, Builder};

#[cfg(test)]
mod tests;
