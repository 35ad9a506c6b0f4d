//! What effects change in the small cluster, and the laws that hold before and after each.

use vexil_analysis::{Effect, Millis, Routes, TargetScaler, laws};

use super::{
    workload::Workload,
    world::{WANTED, World},
};

impl World {
    /// Does an effect, or refuses it; checks the laws on the way. The text is for the timeline.
    pub fn act(&mut self, effect: &Effect, now: Millis) -> Result<Option<(&'static str, String)>, String> {
        let name = format!("{effect:?}");
        if let Some(what) =
            self.refused.as_ref().filter(|what| name.to_lowercase().starts_with(what.as_str()))
        {
            return Err(format!("{what} is forbidden"));
        }
        let before = self.seen(now);
        let change = self.change(effect, now);
        assert_eq!(laws::broken_by_outcome(&before, &self.seen(now)), None, "{effect:?} at {now:?}");
        Ok(change)
    }

    fn change(&mut self, effect: &Effect, now: Millis) -> Option<(&'static str, String)> {
        match effect {
            Effect::Backends => {
                self.backends = true;
                self.services_deleted.then(|| ("services", "-primary and -canary created".to_owned()))
            }
            Effect::Apex => {
                self.apex = true;
                self.services_deleted.then(|| ("services", "apex created".to_owned()))
            }
            Effect::Restore => {
                (self.backends, self.apex, self.services_deleted) = (false, false, false);
                Some(("services", "lead to the earlier primary".to_owned()))
            }
            Effect::Configs => {
                self.copies = true;
                Some(("configs", "copies restored".to_owned()))
            }
            Effect::Scaler => {
                self.scaler = Ok(true);
                Some(("scaler", "podinfo-primary follows podinfo".to_owned()))
            }
            Effect::CreatePrimary(expected) => {
                let target = self.target.clone().filter(|target| target.revision == *expected)?;
                let ready_at = self.ready_at(expected, true, now);
                let replicas = target.replicas.max(1);
                self.primary = Some(Workload {
                    replicas,
                    ready_at,
                    since: now,
                    crashed: false,
                    covered: false,
                    leaving_until: Millis(0),
                    ..target
                });
                Some(("workload", format!("podinfo-primary replicas={replicas} image={expected}")))
            }
            Effect::Promote(expected) => {
                self.target.as_ref().filter(|target| target.revision == *expected)?;
                let ready_at = self.ready_at(expected, true, now);
                let primary = self.primary.as_mut()?;
                primary.roll(expected, ready_at, now);
                let replicas = primary.replicas;
                Some(("workload", format!("podinfo-primary replicas={replicas} image={expected}")))
            }
            Effect::Release => {
                (self.leftovers, self.former) = (false, None);
                Some(("release", "what the earlier binding left".to_owned()))
            }
            Effect::Route(routes) => {
                self.routes = Some(*routes);
                let text = match routes {
                    Routes::Weighted { canary } => format!("primary={} canary={canary}", routes.primary()),
                    Routes::Sticky { canary } => {
                        format!("primary={} canary={canary} sticky", routes.primary())
                    }
                    Routes::Matched => "matches to Canary".to_owned(),
                    Routes::Mirrored { percent } => format!("primary=100 canary=0 mirror={percent}"),
                };
                Some(("route", text))
            }
            Effect::ReleaseTraffic => {
                (self.given_back, self.routes) = (true, None);
                Some(("release", "apex and routes, to the target".to_owned()))
            }
            Effect::ScaleUp | Effect::RevertTarget | Effect::ScaleToZero => {
                let replicas = if *effect == Effect::ScaleToZero { 0 } else { WANTED };
                let revision = self.target.as_ref()?.revision.clone();
                let ready_at = self.ready_at(&revision, false, now);
                let target = self.target.as_mut()?;
                (target.replicas, target.ready_at, target.since) = (replicas, ready_at, now);
                target.covered = false;
                match replicas {
                    0 => target.leaving_until = now.plus(self.leave_after_ms),
                    _ => assert!(!target.leaves(now), "scaled up while its pods are being deleted"),
                }
                if self.target_scaler != TargetScaler::None {
                    self.target_scaler =
                        if replicas == 0 { TargetScaler::Rests } else { TargetScaler::Scales };
                }
                Some(("workload", format!("podinfo replicas={replicas} image={revision}")))
            }
        }
    }
}
