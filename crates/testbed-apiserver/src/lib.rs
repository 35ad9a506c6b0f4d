//! A Kubernetes API server in the process: what lets anyone run Vexil without a cluster.
//!
//! [`ApiServer`] answers as a real one of version 1.35 does, over TCP ([`ApiServer::listen`], for `kubectl` and the
//! demo) and, without sockets and on virtual time, as the service behind a [`kube::Client`] ([`ApiServer::client`],
//! for tests). [`Audit`] lists what clients asked, [`Faults`] makes it go wrong.
//!
//! A request takes this way: `service` (faults, audit) -> `answer` (which verb of which kind) -> `list`, `watch`,
//! `write`, `patch` or `scale` -> `kinds` and `schema` (shape, defaults, checks) -> `managed` (who owns which field) ->
//! `store` -> `gc` (what follows from it) -> `output` and `table` (in which form it is shown).
//!
//! It was compared with a real server of 1.35, request by request. What it does not do:
//! * authentication, authorisation, admission plugins, webhooks, API priority and fairness: everybody may do
//!   everything;
//! * CEL rules of CustomResourceDefinitions (`x-kubernetes-validations`), conversion webhooks, the structural checks of
//!   the definitions themselves, changes of `storedVersions`;
//! * checks of built-in kinds beyond those that Vexil's users meet: names, labels, selectors, containers, ports,
//!   strategies, Services, HPAs, Leases, Events, keys of ConfigMaps and Secrets;
//! * kinds that are not in `kinds/resources.txt`; other versions of them; subresources other than status and scale
//!   (no log, exec, eviction, binding); the pods' controllers, which are the world's;
//! * protobuf but for reading what `kubectl create` sends; OpenAPI schemas (`kubectl explain`); aggregated discovery;
//! * stale reads: a list with `resourceVersion=0` is as fresh as any other;
//! * ServiceAccounts and root certificates that the real cluster makes in every namespace; IPv6; size limits;
//! * merging of update managers when there are more than ten, and field ownership of what scale wrote before an apply.
//!
//! The feature `kubectl`, which is on unless it is switched off, has what only `kubectl` asks for: tables, OpenAPI
//! documents, bodies in protobuf, strategic merge patches. Controllers need none of it.
//!
//! Done at once where the real cluster takes a moment: garbage collection, emptying of namespaces, serving of new
//! kinds.

mod answer;
mod audit;
mod bell;
mod causes;
mod clock;
mod crd;
mod discovery;
mod errors;
mod faults;
mod follow;
mod gc;
mod ids;
mod json;
mod kinds;
#[cfg(feature = "kubectl")]
mod kubectl;
#[cfg(not(feature = "kubectl"))]
#[path = "without_kubectl.rs"]
mod kubectl;
mod list;
mod managed;
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
mod versions;
mod watch;
mod write;

pub use audit::{Audit, AuditEntry};
pub use clock::Clock;
pub use faults::{Fault, FaultAction, Faults, Loss, Matcher};
pub use follow::{Following, Happened};
pub use serve::Listening;
pub use server::{ApiServer, Builder};

#[cfg(test)]
#[cfg(feature = "kubectl")]
mod tests;
