//! One Canary as a reconcile sees it: the user's object, validated, with everything that is derived from it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;
use vexil_analysis::{Binding, Plan};
use vexil_api::{Canary, CanarySpec, CanaryStatus, CanaryView, Defect, parse};
use vexil_object::{ObjectKey, Owner, kinds, meta};
use vexil_routing::Router;
use vexil_workload::{Subject, Workload};

use crate::{
    Registry, Settings, binding, in_force,
    lower::lower,
    status,
    validated::{Validated, validated},
};

/// Opens Canaries for an operator with these routers and flags.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// Routers and Services.
    pub registry: &'a Registry,
    /// Flags.
    pub settings: &'a Settings,
}

/// One Canary as a reconcile sees it.
///
/// It is seen under the binding that its status records: target, provider, apex and references of
/// [`CanaryContext::spec`] are those that traffic depends on now. Where the user's spec names others, the binding of
/// the plan has them.
pub struct CanaryContext {
    key: ObjectKey,
    live: Arc<Value>,
    owner: Owner,
    status: CanaryStatus,
    resolved: Arc<Resolved>,
}

/// The spec of a Canary with what it names. It depends on the spec and the metadata alone, so that it is kept while
/// only the status changes.
pub(crate) struct Resolved {
    spec: CanarySpec,
    annotations: BTreeMap<String, String>,
    plan: Plan,
    router: Arc<dyn Router>,
    workload: &'static dyn Workload,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl<'a> Planner<'a> {
    /// A planner for these routers and flags.
    pub fn new(registry: &'a Registry, settings: &'a Settings) -> Self {
        Planner { registry, settings }
    }

    /// Parses and validates a Canary, and lowers it to a plan.
    ///
    /// # Errors
    /// Every defect of the Canary, at once.
    pub fn open(&self, live: Arc<Value>) -> Result<CanaryContext, Vec<Defect>> {
        let (wanted, status) = match self.registry.cache().get(&live).zip(status::parse(&live)) {
            Some(known) => known,
            None => {
                let mut canary = parse(&live)?;
                let status = canary.status.take().unwrap_or_default();
                let resolved = Arc::new(self.resolve(canary)?);
                self.registry.cache().put(&live, &resolved);
                (resolved, status)
            }
        };
        let recorded = status.binding.as_ref().map(status::binding);
        let resolved = match recorded.filter(|bound| !bound.agrees(&wanted.plan.binding)) {
            None => wanted,
            Some(bound) => {
                let seen = self.bind(&wanted.spec, &wanted.annotations, &live, &bound)?;
                let Plan { binding, remarks, .. } = wanted.plan.clone();
                Arc::new(Resolved { plan: Plan { binding, remarks, ..seen.plan }, ..seen })
            }
        };
        Ok(CanaryContext::new(live, status, resolved))
    }

    /// A Canary whose spec is invalid, as far as the safety of what is in force depends on it: with the binding and the
    /// limits that the status records, and without an analysis. `None` if nothing is in force, or if too little is left
    /// of the spec.
    pub fn in_force(&self, live: &Arc<Value>, defects: &[Defect]) -> Option<CanaryContext> {
        [true, false].into_iter().find_map(|with_service| {
            let mut canary = parse(&in_force::reduced(live, defects, with_service)).ok()?;
            let status = canary.status.take()?;
            let bound = status::binding(status.binding.as_ref()?);
            let annotations = canary.metadata.annotations.take().unwrap_or_default();
            let seen = self.bind(&canary.spec, &annotations, live, &bound).ok()?;
            let plan = Plan { binding: bound, spec_error: Some(vexil_api::summary(defects)), ..seen.plan };
            let plan = in_force::within_limits(plan, &status);
            Some(CanaryContext::new(Arc::clone(live), status, Arc::new(Resolved { plan, ..seen })))
        })
    }

    /// The Canary under an earlier binding, to release what that left. `None` if its provider or kind is unknown.
    pub fn under(&self, canary: &CanaryContext, bound: &Binding) -> Option<CanaryContext> {
        let Resolved { spec, annotations, .. } = &*canary.resolved;
        let seen = self.bind(spec, annotations, &canary.live, bound).ok()?;
        let plan = Plan { binding: bound.clone(), ..seen.plan };
        let resolved = Arc::new(Resolved { plan, ..seen });
        Some(CanaryContext::new(Arc::clone(&canary.live), canary.status.clone(), resolved))
    }

    fn resolve(&self, canary: Canary) -> Result<Resolved, Vec<Defect>> {
        let Validated { router, workload, warnings } = validated(&canary, self)?;
        let provider = canary.spec.provider().unwrap_or(&self.settings.provider);
        let wanted = binding::wanted(&canary, provider, router.as_ref());
        let (name, namespace) = (canary.metadata.name.as_deref(), canary.metadata.namespace.as_deref());
        let names = (name.unwrap_or_default(), namespace.unwrap_or_default());
        let plan = lower(&canary.spec, names, self.settings, router.supports());
        Ok(Resolved {
            spec: canary.spec,
            annotations: canary.metadata.annotations.unwrap_or_default(),
            plan: Plan {
                binding: wanted,
                remarks: warnings.iter().map(ToString::to_string).collect(),
                ..plan
            },
            router,
            workload,
        })
    }

    /// A spec with the target, provider, apex and references of `bound`.
    fn bind(
        &self,
        spec: &CanarySpec,
        annotations: &BTreeMap<String, String>,
        live: &Value,
        bound: &Binding,
    ) -> Result<Resolved, Vec<Defect>> {
        let defect =
            |what: &str, message: String| vec![Defect { path: format!("status.binding.{what}"), message }];
        let Some(router) = self.registry.router(&bound.provider) else {
            return Err(defect("provider", format!("provider {} is not known", bound.provider)));
        };
        let workload = self
            .settings
            .workloads
            .catalog
            .workload(&bound.kind)
            .map_err(|error| defect("kind", error.to_string()))?;
        let (spec, annotations) = binding::under(spec, annotations, bound, router.as_ref());
        let names = (meta::text(live, "/metadata/name"), meta::text(live, "/metadata/namespace"));
        let plan = lower(&spec, names, self.settings, router.supports());
        Ok(Resolved { spec, annotations, plan, router: Arc::clone(router), workload })
    }
}

impl CanaryContext {
    fn new(live: Arc<Value>, status: CanaryStatus, resolved: Arc<Resolved>) -> Self {
        let (namespace, name) =
            (meta::text(&live, "/metadata/namespace"), meta::text(&live, "/metadata/name"));
        CanaryContext {
            key: ObjectKey::new(kinds::CANARY, namespace, name),
            owner: Owner { name: name.to_owned(), uid: meta::uid(&live).to_owned() },
            live,
            status,
            resolved,
        }
    }

    /// Namespace and name.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The object as it was read; writes of its status are fenced by its resourceVersion.
    pub fn live(&self) -> &Arc<Value> {
        &self.live
    }

    /// The Canary as the owner of generated objects.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The spec under the binding in force.
    pub fn spec(&self) -> &CanarySpec {
        &self.resolved.spec
    }

    /// The annotations under the binding in force.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.resolved.annotations
    }

    /// The status as it was read.
    pub fn status(&self) -> &CanaryStatus {
        &self.status
    }

    /// The engine's plan.
    pub fn plan(&self) -> &Plan {
        &self.resolved.plan
    }

    /// The router of the provider.
    pub fn router(&self) -> &dyn Router {
        self.resolved.router.as_ref()
    }

    /// The kind of the target.
    pub fn workload(&self) -> &'static dyn Workload {
        self.resolved.workload
    }

    /// `metadata.generation`.
    pub fn generation(&self) -> Option<i64> {
        self.live.pointer("/metadata/generation").and_then(Value::as_i64)
    }

    /// The Canary as routers, workloads and metric checks see it.
    pub fn view(&self) -> CanaryView<'_> {
        CanaryView::new(&self.owner, self.key.namespace(), self.spec()).with_annotations(self.annotations())
    }

    /// The Canary as its workload sees it.
    pub fn subject<'a>(&'a self, settings: &'a Settings) -> Subject<'a> {
        Subject { view: self.view(), settings: &settings.workloads }
    }

    /// `podinfo.test`: how messages name the Canary.
    pub fn name(&self) -> String {
        format!("{}.{}", self.key.name(), self.key.namespace())
    }
}

#[cfg(test)]
mod tests;
