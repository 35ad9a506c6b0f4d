//! What the operator can drive: the Services, and one router per provider.

use std::sync::Arc;

use serde_json::Value;
use vexil_api::{Canary, Capabilities, Defect};
use vexil_routing::{Router, Services};

use crate::readings::Readings;

/// The features that the engine requests of routers. A Canary that needs another one is refused even if its router
/// supports it.
const REQUESTED: Capabilities =
    Capabilities { weights: true, matches: false, mirror: false, affinity: false, knative: false };

/// The features of a provider that Canaries can use.
pub(crate) fn capabilities(router: &dyn Router) -> Capabilities {
    router.supports().and(REQUESTED)
}

/// The routers of an operator. The binary fills it; nobody else names one.
#[derive(Clone)]
pub struct Registry {
    services: Arc<dyn Services>,
    routers: Vec<Arc<dyn Router>>,
    readings: Arc<Readings>,
}

impl Registry {
    /// A registry without a router.
    pub fn new(services: impl Services + 'static) -> Self {
        Registry { services: Arc::new(services), routers: Vec::new(), readings: Arc::default() }
    }

    /// Adds a router under the names that it serves. The first one that serves a provider has it.
    #[must_use]
    pub fn with(mut self, router: impl Router + 'static) -> Self {
        self.routers.push(Arc::new(router));
        self
    }

    /// The router of a provider; `None` for one that is not known.
    pub fn router(&self, provider: &str) -> Option<&Arc<dyn Router>> {
        self.routers.iter().find(|router| router.serves(provider))
    }

    /// All routers, in the order in which they were added.
    pub fn routers(&self) -> impl Iterator<Item = &Arc<dyn Router>> {
        self.routers.iter()
    }

    /// The names of all providers, in the order in which they were added.
    pub fn providers(&self) -> Vec<&'static str> {
        self.routers.iter().map(|router| router.name()).collect()
    }

    /// The names of all providers with the features that Canaries can use.
    pub(crate) fn capabilities(&self) -> Vec<(&'static str, Capabilities)> {
        self.routers.iter().map(|router| (router.name(), capabilities(router.as_ref()))).collect()
    }

    /// Reads a Canary, or remembers what was read of the same spec.
    ///
    /// # Errors
    /// As [`vexil_api::parse`].
    pub(crate) fn read(&self, live: &Value) -> Result<Canary, Vec<Defect>> {
        self.readings.read(live)
    }

    /// The Services that every provider builds on.
    pub fn services(&self) -> &dyn Services {
        self.services.as_ref()
    }
}
