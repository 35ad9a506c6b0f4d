//! The router contract: how traffic weights become changes of route objects, and how live objects are read back.
//!
//! A router is a pure value: it gets the objects that were observed and returns the changes to apply. It does no IO,
//! never waits and keeps no state between calls, so tests feed it data and any controller can use it.
//!
//! # Write a router
//!
//! A new router is one crate that passes the `laws` (a feature of this crate, for tests), and one line where the
//! operator registers its routers. It implements two traits:
//!
//! 1. [`Provider`]: its name, the features that it supports and its built-in metric queries.
//! 2. [`RouteObject`], when one object per Canary holds the routes. An adapter implements [`Router`] for it: which CRD
//!    is served, who owns the object, create or patch or leave alone, release. [`GeneratedRoute`] is narrower: the
//!    object is a copy of the user's. A router that needs no object or several implements [`Router`] itself.
//!
//! Shared by all routers: [`Claim`] decides who owns an object, [`Entries`] finds and writes our two entries in a list
//! that also holds entries of others, [`declare`] and [`mark`] write our metadata beside that of others.

mod adapter;
mod claim;
mod companion;
mod context;
mod copy;
mod entries;
mod error;
mod fields;
mod generated_route;
mod ingress;
#[cfg(any(test, feature = "laws"))]
pub mod laws;
mod metadata;
mod provider;
mod queries;
mod request;
mod route_object;
mod router;
mod services;
mod session;
mod source;
mod target;
mod unowned;

pub use claim::Claim;
pub use companion::Companion;
pub use context::RouteContext;
pub use copy::{follow_annotations, retain_metadata};
pub use entries::{Entries, NAMELESS, agreed};
pub use error::RouteError;
pub use fields::{covers, items, omit, pointer, put};
pub use generated_route::GeneratedRoute;
pub use ingress::{INGRESS, INGRESS_SOURCE, ingress_sides};
pub use metadata::{MARKERS, WRITTEN, declare, mark, unmark};
pub use provider::Provider;
pub use queries::{OF_ISTIO, OF_LINKERD, OF_PODS};
pub use request::{RouteRequest, conditions};
pub use route_object::RouteObject;
pub use router::Router;
pub use services::Services;
pub use session::{Session, cookie_pattern, escaped, set_cookie};
pub use source::{Source, SourceKind};
pub use target::{BoundKind, PodLabels, RouteTarget, SessionCookies};
pub use unowned::Unowned;
pub use vexil_analysis::{Acceptance, Routes, Side, Weight};
pub use vexil_api::{Capabilities, DurationUnit, Feature, LabelNames, QuerySet};
