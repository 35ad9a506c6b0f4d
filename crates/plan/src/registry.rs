//! What an operator supports: the Services, and one router per provider.

use std::sync::Arc;

use vexil_api::{Capabilities, QuerySet};
use vexil_routing::{Router, Services};

use crate::cache::ResolvedCache;

/// The routers of an operator. The binary fills it; no other code names a router.
#[derive(Clone)]
pub struct Registry {
    services: Arc<dyn Services>,
    routers: Vec<Arc<dyn Router>>,
    retired: Vec<(&'static str, &'static str)>,
    cache: Arc<ResolvedCache>,
}

impl Registry {
    /// A registry without a router.
    pub fn new(services: impl Services + 'static) -> Self {
        Registry {
            services: Arc::new(services),
            routers: Vec::new(),
            retired: Vec::new(),
            cache: Arc::default(),
        }
    }

    /// Adds a router under the names that it serves. If two routers serve a provider, the first one is used.
    #[must_use]
    pub fn with(mut self, router: impl Router + 'static) -> Self {
        self.routers.push(Arc::new(router));
        self.cache = Arc::default();
        self
    }

    /// Says of a provider for which there is no router why, and what to use instead; the message ends with it. A
    /// name also stands for those that carry more behind a colon.
    #[must_use]
    pub fn with_retired(mut self, provider: &'static str, why: &'static str) -> Self {
        self.retired.push((provider, why));
        self
    }

    /// Why there is no router for a provider that once was one.
    pub(crate) fn retired(&self, provider: &str) -> Option<&'static str> {
        let name = provider.split(':').next().unwrap_or(provider);
        self.retired.iter().find(|(retired, _)| *retired == name).map(|(_, why)| *why)
    }

    /// The router of a provider; `None` for an unknown provider.
    pub fn router(&self, provider: &str) -> Option<&Arc<dyn Router>> {
        self.routers.iter().find(|router| router.serves(provider))
    }

    /// The built-in queries for the Canaries of a router: those of the operator's default provider where that measures
    /// all of them, else the router's own.
    pub fn queries(&self, default_provider: &str, router: &dyn Router) -> Option<&'static QuerySet> {
        let of_all = self.router(default_provider).filter(|default| default.measures_all());
        of_all.map_or_else(|| router.queries(), |default| default.queries())
    }

    /// All routers, in the order in which they were added.
    pub fn routers(&self) -> impl Iterator<Item = &Arc<dyn Router>> {
        self.routers.iter()
    }

    /// The names of all providers, in the order in which they were added.
    pub fn providers(&self) -> Vec<&'static str> {
        self.routers.iter().map(|router| router.name()).collect()
    }

    /// The names of all providers with the features that they support.
    pub(crate) fn capabilities(&self) -> Vec<(&'static str, Capabilities)> {
        self.routers.iter().map(|router| (router.name(), router.supports())).collect()
    }

    /// The Services that every provider builds on.
    pub fn services(&self) -> &dyn Services {
        self.services.as_ref()
    }

    /// Validated specs of the Canaries that were opened last.
    pub(crate) fn cache(&self) -> &ResolvedCache {
        &self.cache
    }
}
