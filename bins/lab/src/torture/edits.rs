//! Mode `edits`: each field of a Canary's spec is edited in each phase for each router, and edited back.

use serde_json::json;

use super::{
    deed::changed,
    features::Features,
    fields::Fields,
    place::{NAME, Place, first_spec},
    step::{Case, Moment, Step},
};

/// How long an edit lasts: longer than what is left of a rollout, whose end it then is.
const STANDS: u64 = 60_000;

/// The moments at which edits are made.
const MOMENTS: [&str; 9] = [
    "Initializing",
    "Initialized",
    "first step",
    "middle",
    "Promoting",
    "Finalising",
    "draining",
    "Succeeded",
    "Failed",
];

/// The way to a moment.
fn way(moment: &str) -> Vec<Step> {
    let apply = [Step::Apply, Step::Until(Moment::Phase("Initializing"))];
    let ready = [Step::Apply, Step::Until(Moment::Phase("Initialized")), Step::Pass(3_000)];
    let push =
        |moment| ready.iter().cloned().chain([Step::Push("6.0.1"), Step::Until(moment)]).collect::<Vec<_>>();
    match moment {
        "Initializing" => apply.to_vec(),
        "Initialized" => ready.to_vec(),
        "first step" => push(Moment::Step(1)),
        "middle" => push(Moment::Step(2)),
        "Promoting" => push(Moment::Phase("Promoting")),
        "Finalising" => push(Moment::Phase("Finalising")),
        "draining" => push(Moment::Draining),
        "Succeeded" => push(Moment::Phase("Succeeded")),
        _ => {
            let mut steps = ready.to_vec();
            steps.extend([Step::Push("bad-1"), Step::Until(Moment::Phase("Failed"))]);
            steps
        }
    }
}

/// The Canary is deleted, and applied again when it is gone.
pub fn remade(ms: u64) -> Vec<Step> {
    vec![Step::DeleteCanary, Step::Pass(ms), Step::Until(Moment::Gone), Step::ApplyCanary, Step::Pass(30_000)]
}

/// All cases of some places, in their fixed order.
pub fn cases(fields: &Fields, places: &[&'static Place]) -> Vec<Case> {
    let mut all = Vec::new();
    for place in places {
        let spec = first_spec(place);
        let mut edits: Vec<(String, Vec<Step>)> = (0..fields.count())
            .flat_map(|field| fields.edits_of(field, &spec))
            .map(|edit| {
                let steps =
                    vec![Step::Edit(edit.title.clone(), edit.spec), Step::Pass(STANDS), Step::EditBack];
                (edit.title, steps)
            })
            .collect();
        edits.push(("the Canary is deleted and made again".to_owned(), remade(3_000)));
        let named = json!({"service": {"name": NAME}});
        let title = "targetRef.name becomes other beside a named service".to_owned();
        let other = changed(&changed(&spec, &named), &json!({"targetRef": {"name": "other"}}));
        edits.push((title.clone(), vec![Step::Edit(title, other), Step::Pass(STANDS), Step::EditBack]));
        if place.mesh.is_some() {
            let steps = vec![Step::Annotate(Some("nope")), Step::Pass(STANDS), Step::Annotate(None)];
            edits.push(("the annotation of the mesh becomes nope".to_owned(), steps));
        }
        for moment in MOMENTS {
            for (title, steps) in &edits {
                let mut way = way(moment);
                way.extend(steps.iter().cloned());
                all.push(Case {
                    mode: "edits",
                    number: 0,
                    title: format!("{} at {moment}: {title}", place.name),
                    place,
                    features: Features::default(),
                    steps: way,
                    cut_after: None,
                    harm: None,
                });
            }
        }
    }
    all
}
