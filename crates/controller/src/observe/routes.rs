//! What the router reads from the live route, and whether its objects are as wanted.

use vexil_analysis::{LiveRoutes, Memory, Phase, Route, Routes, SyncState};
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

    /// The live routes, and what of them was edited. In an initialisation a route that does not exist is tried: one
    /// that cannot be made is reported before anything else is made.
    pub(super) fn routes(&self, canary: &CanaryContext, memory: &Memory) -> (LiveRoutes, Option<String>) {
        let target = self.target(canary);
        let try_first = || canary.router().render(&target, &Routes::PRIMARY, &self.objects);
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
            Err(RouteError::Absent { .. }) if memory.phase == Phase::Initializing => match try_first() {
                Ok(_) | Err(RouteError::NotKnown { .. }) => LiveRoutes::Absent,
                Err(error) => LiveRoutes::Invalid(error.to_string()),
            },
            Err(RouteError::Absent { .. }) => LiveRoutes::Absent,
            Err(RouteError::NoPrimary { .. }) if memory.phase == Phase::Initializing => LiveRoutes::Absent,
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
