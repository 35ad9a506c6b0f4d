//! What the operator can drive: the Services, and one router per provider.

use std::sync::Arc;

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_routing::{Router, Services};

use crate::readings::Readings;

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
