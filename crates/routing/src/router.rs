//! The router trait: from the routes that are wanted to changes of objects, and back.

use vexil_analysis::{Acceptance, Routes};
use vexil_object::{Change, ObjectKey, Objects};

use crate::{Provider, RouteError, RouteTarget};

/// Routes the traffic of one kind of mesh or ingress.
///
/// The objects that it reads and writes are observed by the caller: ask [`Router::needs`], observe what it returns, and
/// repeat until it returns nothing. Then read or render.
///
/// ```
/// use vexil_object::{Objects, Store};
/// use vexil_routing::{RouteError, RouteTarget, Router, Routes};
///
/// /// Makes the cluster route as requested, and returns what its objects say then.
/// fn route(
///     router: &dyn Router,
///     target: &RouteTarget<'_>,
///     want: &Routes,
///     cluster: &mut Store,
/// ) -> Result<Routes, RouteError> {
///     let observe = |cluster: &Store| {
///         let mut have = Objects::default();
///         loop {
///             let needs = router.needs(target, &have);
///             if needs.is_empty() {
///                 return have;
///             }
///             for key in needs {
///                 let seen = cluster.look(&key);
///                 have.insert(key, seen);
///             }
///         }
///     };
///     for change in router.render(target, want, &observe(cluster))? {
///         cluster.apply(&change).expect("the cluster accepts it");
///     }
///     router.read(target, &observe(cluster))
/// }
/// ```
pub trait Router: Provider {
    /// The objects that are still to be observed; empty once `have` contains all of them. It is called again after each
    /// round, so an answer may lead to the next question (first the CRDs, then the object of the API that is served).
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey>;

    /// The object that holds the routes of this Canary; `None` when there is none, or not enough was observed to decide
    /// which.
    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey>;

    /// The routes that the live objects say. Strict: what is not exactly as this router writes it is an error, so that
    /// drift is reported before it is corrected.
    ///
    /// # Errors
    /// [`RouteError::Absent`] when there is no route yet and [`RouteError::Edited`] when a field of ours has drifted;
    /// rendering corrects both. Others when the objects cannot be read; rendering fails with the same error.
    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError>;

    /// The changes, in order, that make the live objects say `want`; none when they do. Fields of ours are written
    /// whatever they contain. Fields and entries of others are kept.
    ///
    /// # Errors
    /// When a live object has no place for our fields, is owned by someone else, or the provider does not support
    /// `want`.
    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError>;

    /// What the gateways report about the route, where the product has such reports. Steps of a rollout wait for it.
    fn acceptance(&self, target: &RouteTarget<'_>, have: &Objects) -> Acceptance {
        let _ = (target, have);
        Acceptance::Accepted
    }

    /// The changes that remove everything of ours and keep everything of the user's. Objects that the Canary owns are
    /// left to the garbage collector, except for copies of the user's, which are deleted. None when there is nothing to
    /// release: the object is gone, has another owner, or its kind is no longer served. A deletion waits for none of
    /// these.
    ///
    /// # Errors
    /// When a live object was not observed.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;
}
