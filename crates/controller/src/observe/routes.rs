//! What the router reads from the live route, and whether its objects are as wanted.

use vexil_analysis::{Known, LiveRoutes, Memory, Phase, Pods, Route, Routes, SyncState};
use vexil_object::Change;
use vexil_plan::CanaryContext;
use vexil_routing::RouteError;

use super::Observation;

impl Observation {
    /// The route object, once it exists.
    pub(super) fn route(&self, canary: &CanaryContext) -> Option<Route> {
        let key = canary.router().route(&self.target(canary), &self.objects)?;
        self.objects.get(&key).object().map(|_| vexil_plan::route(&key))
    }

    /// Why the first route of a Canary cannot be made, if something of the user's is missing or in the way. `None`
    /// once the primary exists.
    pub(super) fn unroutable(
        &self,
        canary: &CanaryContext,
        memory: &Memory,
        primary: &Known<Pods>,
    ) -> Option<String> {
        if memory.phase != Phase::Initializing || *primary != Known::Absent {
            return None;
        }
        let made = canary.router().render(&self.target(canary), &Routes::PRIMARY, &self.objects);
        made.err()
            .filter(|error| matches!(error, RouteError::Malformed { .. }))
            .map(|error| error.to_string())
    }

    /// The live routes, and what of them was edited.
    pub(super) fn routes(&self, canary: &CanaryContext) -> (LiveRoutes, Option<String>) {
        let target = self.target(canary);
        let routes = match canary.router().read(&target, &self.objects) {
            Ok(routes) => match canary.router().render(&target, &routes, &self.objects) {
                Ok(changes) => LiveRoutes::Present { routes, in_sync: changes.is_empty() },
                // The Canary no longer has what these routes need, such as the cookie of a rollout that ended: they are
                // live, and others are wanted.
                Err(RouteError::Malformed { object, .. }) if object == canary.key().to_string() => {
                    LiveRoutes::Present { routes, in_sync: false }
                }
                Err(error) => LiveRoutes::Invalid(error.to_string()),
            },
            Err(RouteError::NotKnown { .. }) => LiveRoutes::NotKnown,
            Err(RouteError::Absent { .. }) => LiveRoutes::Absent,
            // Restored as if there were no route.
            Err(error @ RouteError::Edited { .. }) => return (LiveRoutes::Absent, Some(error.to_string())),
            Err(error) => LiveRoutes::Invalid(error.to_string()),
        };
        (routes, None)
    }
}

/// Whether objects are as wanted, by the changes that would make them so.
pub(super) fn sync_state(changes: Result<Vec<Change>, RouteError>) -> SyncState {
    match changes {
        Ok(changes) if changes.is_empty() => SyncState::InSync,
        Ok(changes) if changes.iter().any(Change::creates) => SyncState::Missing,
        Ok(_) => SyncState::OutOfSync,
        Err(RouteError::NotKnown { .. }) => SyncState::NotKnown,
        Err(error) => SyncState::Invalid(error.to_string()),
    }
}
