//! One Canary as a tick sees it: the user's object, checked, with everything that is derived from it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use vexil_analysis::{Binding, Plan};
use vexil_api::{Canary, CanaryStatus, Defect, Remark, ValidationContext, parse, validate};
use vexil_object::{ObjectKey, Owner, kinds, meta};
use vexil_routing::Router;
use vexil_workload::{Subject, Workload, scaler, workload};

use crate::{Context, Settings, binding, plan::plan, registry::capabilities, scalers::Scalers, status};

/// What a Case is made of besides the Canary.
struct Parts {
    live: Arc<Value>,
    wanted: Binding,
    remarks: Vec<Remark>,
    halted: Option<String>,
}

/// What a valid Canary names.
struct Checked {
    router: Arc<dyn Router>,
    workload: &'static dyn Workload,
    remarks: Vec<Remark>,
}

/// One Canary as a tick sees it.
pub(crate) struct Case {
    /// Its key.
    pub(crate) key: ObjectKey,
    /// The object as it was read; writes of its status are fenced by it.
    pub(crate) live: Arc<Value>,
    /// The same, typed.
    pub(crate) canary: Canary,
    /// The Canary as the owner of generated objects.
    pub(crate) owner: Owner,
    /// Annotations of the Canary.
    pub(crate) annotations: BTreeMap<String, String>,
    /// What the user should know of it.
    pub(crate) remarks: Vec<Remark>,
    /// What the engine is told of the spec.
    pub(crate) plan: Plan,
    /// The operator's own event webhook.
    pub(crate) event_webhook: Option<String>,
    /// What splits its traffic.
    pub(crate) router: Arc<dyn Router>,
    /// What runs its pods.
    pub(crate) workload: &'static dyn Workload,
}

impl Case {
    /// Reads and checks a Canary. It is seen under the binding that its status records; where the spec says something
    /// else, the plan says so.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub(crate) fn open(live: Arc<Value>, context: &Context) -> Result<Case, Vec<Defect>> {
        let canary = context.registry.read(&live)?;
        let Checked { router, workload, remarks } = check(&canary, context)?;
        let provider = canary.spec.provider().unwrap_or(&context.settings.provider);
        let wanted = binding::wanted(&canary, provider, router.as_ref());
        let parts = Parts { live, wanted, remarks, halted: None };
        match recorded(&canary).filter(|bound| !bound.agrees(&parts.wanted)) {
            None => Ok(Case::of(canary, router, workload, parts, context)),
            Some(bound) => Case::bound(&canary, &bound, parts, context),
        }
    }

    /// A Canary whose spec is invalid, as far as the safety of what is in force needs it; `None` when nothing is in
    /// force, or too little is left of the spec.
    pub(crate) fn in_force(live: &Arc<Value>, context: &Context, defects: &[Defect]) -> Option<Case> {
        let halted = Some(vexil_api::summary(defects));
        [harmless(live, true), harmless(live, false)].into_iter().find_map(|canary| {
            let canary = parse(&canary).ok()?;
            let bound = recorded(&canary)?;
            let wanted = bound.clone();
            let parts = Parts { live: Arc::clone(live), wanted, remarks: Vec::new(), halted: halted.clone() };
            Case::bound(&canary, &bound, parts, context).ok()
        })
    }

    /// The Canary under an earlier binding, to release what it left.
    pub(crate) fn former(&self, binding: &Binding, context: &Context) -> Option<Case> {
        let parts = Parts {
            live: Arc::clone(&self.live),
            wanted: binding.clone(),
            remarks: Vec::new(),
            halted: None,
        };
        Case::bound(&self.canary, binding, parts, context).ok()
    }

    fn bound(canary: &Canary, bound: &Binding, parts: Parts, context: &Context) -> Result<Case, Vec<Defect>> {
        let defect =
            |what: &str, message: String| vec![Defect { path: format!("status.binding.{what}"), message }];
        let Some(router) = context.registry.router(&bound.provider) else {
            return Err(defect("provider", format!("provider {} is not known", bound.provider)));
        };
        let workload = workload(&bound.kind).map_err(|error| defect("kind", error.to_string()))?;
        let canary = binding::under(canary, bound, router.annotations());
        Ok(Case::of(canary, Arc::clone(router), workload, parts, context))
    }

    fn of(
        canary: Canary,
        router: Arc<dyn Router>,
        workload: &'static dyn Workload,
        parts: Parts,
        context: &Context,
    ) -> Case {
        let Parts { live, wanted, remarks, halted } = parts;
        let namespace = meta::text(&live, "/metadata/namespace").to_owned();
        let name = meta::text(&live, "/metadata/name").to_owned();
        let settings = &context.settings;
        let plan = Plan {
            binding: wanted,
            spec_error: halted,
            ..plan(&canary, &namespace, settings, router.supports())
        };
        Case {
            key: ObjectKey::new(kinds::CANARY, &namespace, &name),
            owner: Owner { name, uid: meta::uid(&live).to_owned() },
            annotations: canary.metadata.annotations.clone().unwrap_or_default(),
            remarks,
            plan: in_limits(plan, &canary),
            event_webhook: settings.event_webhook.clone(),
            canary,
            live,
            router,
            workload,
        }
    }

    /// The Canary as its workload sees it.
    pub(crate) fn subject<'a>(&'a self, settings: &'a Settings) -> Subject<'a> {
        Subject {
            namespace: self.key.namespace(),
            target: &self.canary.spec.target_ref.name,
            apex: self.canary.spec.apex_name(),
            owner: &self.owner,
            settings: &settings.workloads,
            scaler: self.canary.spec.autoscaler_ref.as_ref(),
        }
    }

    /// The autoscalers around it.
    pub(crate) fn scalers<'a>(&'a self, settings: &'a Settings) -> Scalers<'a> {
        Scalers::of(self.subject(settings))
    }

    /// `podinfo.test`: how log lines name the Canary.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.key.name(), self.key.namespace())
    }

    /// The status as it was read.
    pub(crate) fn status(&self) -> CanaryStatus {
        self.canary.status.clone().unwrap_or_default()
    }
}

/// Everything that is wrong with a Canary, or what it names.
fn check(canary: &Canary, context: &Context) -> Result<Checked, Vec<Defect>> {
    let settings = &context.settings;
    let provider = canary.spec.provider().unwrap_or(&settings.provider);
    let router = context.registry.router(provider);
    let checked = validate(
        canary,
        &ValidationContext {
            default_provider: &settings.provider,
            known_providers: &context.registry.capabilities(),
            router: router.map(|router| capabilities(router.as_ref())),
            no_cross_namespace_refs: settings.no_cross_namespace_refs,
        },
    );
    let defect = |path: &str, message: String| Defect { path: path.to_owned(), message };
    let mut defects = checked.defects;
    defects.extend(router.iter().flat_map(|router| router.defects(canary)));
    let scaler = canary.spec.autoscaler_ref.as_ref().and_then(|reference| scaler(reference).err());
    if let Some(error) = scaler.filter(|_| defects.is_empty()) {
        defects.push(defect("spec.autoscalerRef.kind", error.to_string()));
    }
    let kind = workload(&canary.spec.target_ref.kind)
        .map_err(|error| defect("spec.targetRef.kind", error.to_string()));
    match (router, kind) {
        (Some(router), Ok(workload)) if defects.is_empty() => {
            Ok(Checked { router: Arc::clone(router), workload, remarks: checked.remarks })
        }
        (router, kind) => {
            if defects.is_empty() && router.is_none() {
                defects.push(defect("spec.provider", format!("provider {provider} is not known")));
            }
            defects.extend(kind.err().filter(|_| defects.is_empty()));
            Err(defects)
        }
    }
}

/// The binding that the status records.
fn recorded(canary: &Canary) -> Option<Binding> {
    status::load(canary.status.as_ref()?).binding
}

/// The Canary without what may be wrong with it: the analysis, and, when more is wrong, the service but its port.
fn harmless(live: &Value, with_service: bool) -> Value {
    let mut canary = live.clone();
    let bound = |path: &str| live.pointer(path).cloned();
    let port = bound("/status/binding/port").unwrap_or_else(|| 80.into());
    let mut spec = serde_json::json!({
        "targetRef": { "kind": bound("/status/binding/kind"), "name": bound("/status/binding/target") },
        "service": { "port": port },
        "suspend": bound("/spec/suspend").filter(Value::is_boolean),
    });
    let fields = if with_service { ["service", "routeRef", "upstreamRef"].as_slice() } else { &["routeRef"] };
    for field in fields {
        if let (Some(kept), Some(value)) = (spec.as_object_mut(), live.pointer(&format!("/spec/{field}"))) {
            kept.insert((*field).to_owned(), value.clone());
        }
    }
    if let Some(object) = canary.as_object_mut() {
        object.insert("spec".to_owned(), spec);
    }
    canary
}

/// While the spec is invalid the limits of the last valid one hold.
fn in_limits(plan: Plan, canary: &Canary) -> Plan {
    let limits = canary.status.as_ref().and_then(|status| status.limits.as_ref());
    match limits.filter(|_| plan.spec_error.is_some()) {
        Some(limits) => Plan {
            interval_ms: limits.interval_ms,
            deadline_ms: limits.deadline_ms,
            threshold: limits.threshold,
            ..plan
        },
        None => plan,
    }
}
