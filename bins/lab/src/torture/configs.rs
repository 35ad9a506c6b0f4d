//! Law 12: the primary's copy of a configuration is what was promoted last, at each moment.

use serde_json::Value;

use super::{
    features::CONFIG,
    finding::{Finding, Law},
    outcome::Outcome,
    place::NAME,
    record::text,
    world::World,
};

/// Judges each change of the copy.
pub fn judge(world: &World, outcome: &mut Outcome) {
    let Some(config) = world.features.config else { return };
    let copy = format!("{}-primary", CONFIG.0);
    let seen = world.recorder.seen();
    let (mut phase, mut promoted): (String, Option<Value>) = (String::new(), None);
    for (at, happened) in &seen.past {
        let (object, name) = (&happened.object, text(&happened.object, "/metadata/name"));
        if happened.resource == "canaries.flagger.app" && name == NAME {
            phase = if happened.gone { String::new() } else { text(object, "/status/phase").to_owned() };
        }
        if happened.resource != config.resource() || name != copy || happened.gone {
            continue;
        }
        let data = object.get("data").cloned().unwrap_or_default();
        let may_change = matches!(phase.as_str(), "" | "Initializing" | "Promoting");
        match promoted.as_ref().filter(|before| !may_change && **before != data) {
            Some(before) => {
                let text = format!("the primary's {copy} becomes {data} instead of {before} in {phase}");
                outcome.findings.push(Finding::new(Law::Configs, *at, text));
                return;
            }
            None => promoted = Some(data),
        }
    }
}
