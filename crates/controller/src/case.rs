//! One Canary as a tick sees it: the user's object, checked, with everything that is derived from it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use vexil_analysis::Plan;
use vexil_api::{Canary, CanaryStatus, Defect, Remark, RouterAbilities, ValidationContext, validate};
use vexil_object::{ObjectKey, Owner, kinds, meta};
use vexil_routing::Router;
use vexil_workload::{Subject, Workload, scaler, workload};

use crate::{Context, Settings, plan::plan, scalers::Scalers};

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
    /// Reads and checks a Canary.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub(crate) fn open(live: Arc<Value>, context: &Context) -> Result<Case, Vec<Defect>> {
        let canary = context.registry.read(&live)?;
        let settings = &context.settings;
        let provider = canary.spec.provider().unwrap_or(&settings.provider);
        let router = context.registry.router(provider);
        let abilities = router.map(|router| {
            let can = router.supports();
            RouterAbilities {
                weights: can.weights,
                matches: can.matches,
                mirror: can.mirror,
                affinity: can.affinity,
                ..RouterAbilities::default()
            }
        });
        let checked = validate(
            &canary,
            &ValidationContext {
                default_provider: &settings.provider,
                known_providers: &context.registry.providers(),
                router: abilities,
                no_cross_namespace_refs: settings.no_cross_namespace_refs,
            },
        );
        let defect = |path: &str, message: String| Defect { path: path.to_owned(), message };
        let mut defects = checked.defects;
        defects.extend(router.iter().flat_map(|router| router.defects(&canary)));
        let scaler = canary.spec.autoscaler_ref.as_ref().and_then(|reference| scaler(reference).err());
        if let Some(error) = scaler.filter(|_| defects.is_empty()) {
            defects.push(defect("spec.autoscalerRef.kind", error.to_string()));
        }
        let kind = workload(&canary.spec.target_ref.kind)
            .map_err(|error| defect("spec.targetRef.kind", error.to_string()));
        match (router, kind) {
            (Some(router), Ok(workload)) if defects.is_empty() => Ok(Case {
                remarks: checked.remarks,
                ..Case::of(canary, live, Arc::clone(router), workload, settings)
            }),
            (router, kind) => {
                if defects.is_empty() && router.is_none() {
                    defects.push(defect("spec.provider", format!("provider {provider} is not known")));
                }
                defects.extend(kind.err().filter(|_| defects.is_empty()));
                Err(defects)
            }
        }
    }

    fn of(
        canary: Canary,
        live: Arc<Value>,
        router: Arc<dyn Router>,
        workload: &'static dyn Workload,
        settings: &Settings,
    ) -> Case {
        let namespace = meta::text(&live, "/metadata/namespace").to_owned();
        let name = meta::text(&live, "/metadata/name").to_owned();
        Case {
            key: ObjectKey::new(kinds::CANARY, &namespace, &name),
            owner: Owner { name, uid: meta::uid(&live).to_owned() },
            annotations: canary.metadata.annotations.clone().unwrap_or_default(),
            remarks: Vec::new(),
            plan: plan(&canary, &namespace, settings, router.supports()),
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
