//! Routes traffic between the Revisions of a Knative Service, which is the target itself.
//!
//! The annotation `flagger.app/primary-revision` of the Service names the Revision of the primary, the canary is the
//! one that was created last, and `spec.traffic` of the Service shares the requests ([`vexil_object::knative`] has the
//! form of the list). Knative makes the Services of Revisions and the routes to them, so there are none of ours.
//!
//! # What is pushed gets nothing
//!
//! Knative gives an entry with `latestRevision: true` to whatever was pushed last, as soon as that is ready. So the
//! primary has its share by name from the initialisation on, and so has a canary. An entry for the latest Revision with
//! 0 percent is kept while the canary has no share, as Flagger keeps it.
//!
//! # Ownership
//!
//! The Service is the user's. Two things in it are ours: the annotation, and the entries of `spec.traffic` without a
//! tag. Entries with a tag stay, without a share. A release removes the annotation; all traffic follows the latest
//! Revision again if that is the primary, and stays with the primary if not.

mod queries;
mod router;
mod shares;
#[cfg(test)]
mod tests;

pub use router::Knative;
