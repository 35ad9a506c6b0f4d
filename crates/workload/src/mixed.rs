//! Other Deployments whose pods the Services of a Canary select: requests would reach another app.

use serde_json::Value;

use crate::{
    DeploymentView, Selector, Subject,
    metadata::Pairs,
    selector::{POD_LABELS, text},
    subject::primary,
};

/// Deployments other than the target and its primary whose pods the Services of this Canary select, as one text that
/// names them and says what to do; `None` when there are none. `listed` are Deployments of the namespace, whole or
/// projected; those without pods do not count.
pub fn mixed<'a>(
    subject: &Subject<'_>,
    selector: &Selector,
    listed: impl IntoIterator<Item = &'a Value>,
) -> Option<Mixed> {
    let matching = |it: &Value, labels: &Pairs| {
        let own = it.pointer(POD_LABELS);
        let has = |(key, value): (&String, &String)| {
            own.and_then(|own| own.get(key)).and_then(Value::as_str) == Some(value)
        };
        !labels.is_empty() && labels.iter().all(has)
    };
    // Nearly all of them differ in their labels, so these are compared first.
    let others = listed.into_iter().filter(|it| {
        let view = DeploymentView::new(it);
        let is_own = || view.name() == subject.target || view.name() == primary(subject.target);
        (matching(it, &selector.canary) || matching(it, &selector.primary))
            && !is_own()
            && view.namespace() == subject.namespace
            && (view.desired() > 0 || view.counted("replicas") > 0)
    });
    let others: Vec<_> = others.collect();
    let of = |labels: &Pairs| -> Vec<String> {
        let others = others.iter().filter(|it| matching(it, labels));
        others.map(|it| DeploymentView::new(it).name().to_owned()).collect()
    };
    let sides = [&selector.canary, &selector.primary].map(|labels| (of(labels), text(labels)));
    let (names, labels) = sides.into_iter().find(|(names, _)| !names.is_empty())?;
    Some(Mixed {
        text: format!(
            "the labels {labels}, by which pods of Deployment {} are selected, are also those of the pods of {}, which \
             would get its requests: give one of them a label in spec.selector.matchLabels and in its pods that the \
             other does not have",
            subject.target,
            names.iter().map(|name| format!("Deployment {name}")).collect::<Vec<_>>().join(", "),
        ),
        names,
    })
}

/// What [`mixed`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// The Deployments, by name.
    pub names: Vec<String>,
    /// What is wrong and what to do.
    pub text: String,
}
