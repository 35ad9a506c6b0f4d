//! The charts and kustomizations: rendered with every value, held against the programs, their documentation and, where
//! `$KUBECONFIG` names one, an API server.
//!
//! The suite on a real API server takes its operator's objects from [`render`], so that it runs under the account and
//! the rights that users give it.

mod dashboards;
mod flags;
mod helm;
mod kustomize;
mod restricted;
mod server;
mod values;
mod variants;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use vexil_launcher::root;

pub(crate) use self::helm::{runs, said};
use self::{
    flags::Program,
    helm::{Helm, Release},
    variants::{Expect, GRAFANA, LOADTESTER, OPERATOR},
};

/// Arguments of `cargo xtask charts`.
#[derive(clap::Args)]
pub struct Args {
    /// Write the files of kustomize/ that are made from the charts
    #[arg(long)]
    write: bool,
    /// The operator's binary, instead of building it
    #[arg(long)]
    operator: Option<PathBuf>,
    /// The load tester's binary, instead of building it
    #[arg(long)]
    loadtester: Option<PathBuf>,
}

/// The operator's release where nothing else is said.
const RELEASE: Release<'static> =
    Release { name: "flagger", namespace: "flagger-system", chart: "vexil", values: &[] };

/// Runs the chore.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let Some(helm) = Helm::find()? else {
        println!("charts: SKIPPED: there is no Helm, and no Go to build it with");
        return Ok(());
    };
    kustomize::made(&helm, args.write)?;
    let programs = [
        Program::ask("vexil", args.operator.as_deref())?,
        Program::ask("loadtester", args.loadtester.as_deref())?,
    ];
    let mut objects = Vec::new();
    for (chart, release, cases) in [
        ("vexil", RELEASE, OPERATOR),
        (
            "loadtester",
            Release { name: "flagger-loadtester", namespace: "test", chart: "loadtester", values: &[] },
            LOADTESTER,
        ),
        (
            "grafana",
            Release { name: "grafana", namespace: "flagger-system", chart: "grafana", values: &[] },
            GRAFANA,
        ),
    ] {
        helm.lint(chart)?;
        values::documented(chart)?;
        let refused = values::refused(&helm, chart)?;
        let flaggers = root().join(format!("xtask/src/charts/flagger_values/{chart}.yaml"));
        for object in
            helm.template_with(&release, Some(&flaggers)).context("the values of Flagger's chart")?
        {
            programs.iter().try_for_each(|program| program.takes(&object))?;
        }
        for (values, expect) in cases {
            let rendered = helm.template(&Release { values, ..release });
            objects.extend(judge(rendered, *expect).with_context(|| format!("charts/{chart} {values:?}"))?);
        }
        println!("charts: {chart}: {} cases, {refused} values refused", cases.len());
    }
    providers(&programs)?;
    let grafana = Release { chart: "grafana", values: &["password=x"], ..RELEASE };
    let (count, queries) = dashboards::check(&helm.template(&grafana)?)?;
    println!("charts: {count} dashboards, {queries} queries of series that are exported");
    if runs(Path::new("kubectl"), "--help") {
        let built = kustomize::built()?;
        println!("charts: {} kustomizations", built.len());
        objects.extend(built.into_iter().flat_map(|(_, built)| built));
    } else {
        println!("charts: SKIPPED: kustomizations: there is no kubectl");
    }
    for object in &objects {
        sound(object, &programs).with_context(|| {
            let name = object.pointer("/metadata/name").and_then(Value::as_str);
            format!("{} {}", object["kind"], name.unwrap_or_default())
        })?;
    }
    if std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty()) {
        let (count, left_out) = server::accepts(&objects)?;
        println!("charts: {count} objects accepted by the API server; it knows no {}", left_out.join(", "));
    } else {
        println!("charts: SKIPPED: the API server's validation: no KUBECONFIG is set");
    }
    Ok(())
}

/// Whether charts can be rendered here.
///
/// # Errors
/// Where Helm cannot be built.
pub fn can_render() -> anyhow::Result<bool> {
    Ok(Helm::find()?.is_some())
}

/// The Helm that charts are rendered with; none where there is none.
///
/// # Errors
/// Where Helm cannot be built.
pub fn helm() -> anyhow::Result<Option<PathBuf>> {
    Ok(Helm::find()?.map(|helm| helm.path().to_owned()))
}

/// The objects that the operator's chart renders for users of `provider`, as a release that is named `release` in
/// `namespace`, with further values as `--set` takes them (`namespace=test`). The CRDs are among them unless
/// `crd.create=false`.
///
/// # Errors
/// Where there is no Helm and no Go to build one with, and what Helm says of the values.
pub fn render(
    provider: &str,
    (namespace, release): (&str, &str),
    values: &[&str],
) -> anyhow::Result<Vec<Value>> {
    let helm = Helm::find()?.context("there is no Helm, and no Go to build it with")?;
    let provider = format!("meshProvider={provider}");
    let full_name = format!("fullnameOverride={release}");
    let values = [&[provider.as_str(), full_name.as_str()], values].concat();
    helm.template(&Release { name: release, namespace, chart: "vexil", values: &values })
}

/// What comes of a case, against what must.
fn judge(rendered: anyhow::Result<Vec<Value>>, expect: Expect) -> anyhow::Result<Vec<Value>> {
    let text = |objects: &[Value]| -> anyhow::Result<String> {
        let texts: Result<Vec<_>, _> = objects.iter().map(serde_saphyr::to_string).collect();
        Ok(texts?.concat())
    };
    match (rendered, expect) {
        (Ok(objects), Expect::Holds(words)) => {
            let text = text(&objects)?;
            match words.iter().find(|word| !text.contains(**word)) {
                Some(word) => bail!("lacks {word:?}"),
                None => Ok(objects),
            }
        }
        (Ok(objects), Expect::Lacks(words)) => {
            let text = text(&objects)?;
            match words.iter().find(|word| text.contains(**word)) {
                Some(word) => bail!("holds {word:?}"),
                None => Ok(objects),
            }
        }
        (Ok(_), Expect::Refuses(words)) => bail!("is not refused with {words:?}"),
        (Err(error), Expect::Refuses(words)) if format!("{error:#}").contains(words) => Ok(Vec::new()),
        (Err(error), _) => Err(error),
    }
}

/// Every provider that the operator knows must be one that the chart knows.
fn providers([operator, _]: &[Program; 2]) -> anyhow::Result<()> {
    let known = operator.providers()?;
    for provider in &known {
        let rendered = render(provider, (RELEASE.namespace, RELEASE.name), &[])?;
        let passed = flags::arguments_of(&rendered, "vexil").contains(&format!("-mesh-provider={provider}"));
        if !passed {
            bail!("the chart does not pass -mesh-provider={provider}");
        }
    }
    println!("charts: {} providers", known.len());
    Ok(())
}

/// What holds for every object.
fn sound(object: &Value, programs: &[Program]) -> anyhow::Result<()> {
    let defects = restricted::defects(object);
    if !defects.is_empty() {
        bail!("not restricted: {}", defects.join("; "));
    }
    if let Some(rule) = unlimited_rule(object) {
        bail!("a role with an asterisk: {rule}");
    }
    programs.iter().try_for_each(|program| program.takes(object))
}

/// The first rule of a role with an asterisk. Reading external metrics needs one: their resources are the names of
/// metrics.
fn unlimited_rule(object: &Value) -> Option<&Value> {
    let external = json!({"apiGroups": ["external.metrics.k8s.io"], "resources": ["*"], "verbs": ["list"]});
    let rules = object.get("rules").and_then(Value::as_array).into_iter().flatten();
    rules.into_iter().find(|rule| **rule != external && rule.to_string().contains("\"*\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Value, unlimited: bool) {
        let role = json!({"kind": "ClusterRole", "rules": [rule.clone()]});
        assert_eq!(unlimited_rule(&role), unlimited.then_some(&rule));
    }

    #[test]
    fn only_external_metrics_may_be_read_under_every_name() {
        let external = "external.metrics.k8s.io";
        check(json!({"apiGroups": [external], "resources": ["*"], "verbs": ["list"]}), false);
        check(json!({"apiGroups": [external], "resources": ["*"], "verbs": ["list", "create"]}), true);
        check(json!({"apiGroups": [""], "resources": ["*"], "verbs": ["list"]}), true);
        check(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}), true);
        check(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}), false);
    }
}
