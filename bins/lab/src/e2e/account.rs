//! The service account of the operator's chart, with exactly the rights that the chart gives it: what an operator of
//! this suite may not do, no user's operator may.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use kube::{Client, config::Kubeconfig};
use serde_json::{Value, json};

use super::{
    api::{Api, CANARIES, Resource},
    recorder::text,
};
use xtask::charts;

const RIGHTS: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What of a chart is about rights, and where it goes.
const KINDS: [(&str, Resource); 5] = [
    ("ServiceAccount", ACCOUNTS),
    ("ClusterRole", (RIGHTS, "clusterroles")),
    ("ClusterRoleBinding", (RIGHTS, "clusterrolebindings")),
    ("Role", (RIGHTS, "roles")),
    ("RoleBinding", (RIGHTS, "rolebindings")),
];
const ACCOUNTS: Resource = ("/api/v1", "serviceaccounts");

/// Who an operator is to the API server.
#[derive(Clone)]
pub struct Account {
    pub client: Client,
    pub kubeconfig: PathBuf,
    /// What was applied for it: kind, namespace and name.
    applied: Vec<(Resource, String, String)>,
}

/// How the operator is installed.
pub struct Installation<'a> {
    /// Name of the release.
    pub release: &'a str,
    /// Its namespace, which is there.
    pub namespace: &'a str,
    /// The providers whose users install it. Several make one account with the rights of each.
    pub providers: &'a [&'a str],
    /// The one namespace that it is for; `None` for all.
    pub only: Option<&'a str>,
}

impl Account {
    /// The user of the kubeconfig.
    pub fn of_user(api: &Api) -> Self {
        Account { client: api.client.clone(), kubeconfig: api.kubeconfig.clone(), applied: Vec::new() }
    }

    /// Applies the rights of an installation, and takes a token. The kubeconfig is written into `folder`.
    pub async fn install(api: &Api, of: &Installation<'_>, folder: &Path) -> anyhow::Result<Self> {
        let mut applied = Vec::new();
        for (number, provider) in of.providers.iter().enumerate() {
            let release =
                if number == 0 { of.release.to_owned() } else { format!("{}-{number}", of.release) };
            for mut object in rendered(provider, of, &release).await? {
                let Some((_, kind)) = KINDS.iter().find(|(kind, _)| *kind == text(&object, "/kind")) else {
                    continue;
                };
                for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten()
                {
                    subject["name"] = of.release.into();
                }
                let place = |at: &str| text(&object, at).to_owned();
                let (namespace, name) = (place("/metadata/namespace"), place("/metadata/name"));
                api.apply(*kind, &namespace, &object).await?;
                applied.push((*kind, namespace, name));
            }
        }
        let kubeconfig = folder.join(format!("{}.kubeconfig", of.release));
        let token = token(api, of).await?;
        std::fs::write(&kubeconfig, serde_json::to_string(&login(&api.kubeconfig, &token)?)?)?;
        let account = Api::connect(kubeconfig).await?;
        in_force(&account, of.only.unwrap_or_default()).await?;
        Ok(Account { client: account.client, kubeconfig: account.kubeconfig, applied })
    }

    /// Takes the rights away.
    pub async fn remove(self, api: &Api) -> anyhow::Result<()> {
        for (kind, namespace, name) in self.applied {
            api.delete(kind, &namespace, &name).await?;
        }
        Ok(())
    }
}

/// The chart's objects.
async fn rendered(provider: &str, of: &Installation<'_>, release: &str) -> anyhow::Result<Vec<Value>> {
    let (provider, namespace, release) = (provider.to_owned(), of.namespace.to_owned(), release.to_owned());
    let only = of.only.map(|only| format!("namespace={only}"));
    let render = move || {
        let values: Vec<&str> = std::iter::once("crd.create=false").chain(only.as_deref()).collect();
        charts::render(&provider, (&namespace, &release), &values)
    };
    tokio::task::spawn_blocking(render).await?
}

async fn token(api: &Api, of: &Installation<'_>) -> anyhow::Result<String> {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 7200},
    });
    let name = format!("{}/token", of.release);
    let answer = api.post(ACCOUNTS, (of.namespace, &name), &request).await?;
    match text(&answer, "/status/token") {
        "" => bail!("no token for the service account {}", of.release),
        token => Ok(token.to_owned()),
    }
}

/// The cluster of a kubeconfig, with a token as the only credential.
fn login(kubeconfig: &Path, token: &str) -> anyhow::Result<Value> {
    let read = serde_json::to_value(Kubeconfig::read_from(kubeconfig)?)?;
    let named = |list: &str, name: &str| {
        let items = read.get(list).and_then(Value::as_array);
        items.into_iter().flatten().find(|item| text(item, "/name") == name).cloned()
    };
    let context = named("contexts", text(&read, "/current-context")).context("no current context")?;
    let cluster = named("clusters", text(&context, "/context/cluster")).context("no cluster")?;
    let name = text(&cluster, "/name").to_owned();
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [{"name": "operator", "context": {"cluster": name, "user": "operator"}}],
        "current-context": "operator",
    }))
}

/// Waits until the API server goes by the new rights.
async fn in_force(account: &Api, namespace: &str) -> anyhow::Result<()> {
    const TRIES: usize = 600;
    let mut refusal = None;
    for _ in 0..TRIES {
        match account.list(CANARIES, namespace, "").await {
            Ok(_) => return Ok(()),
            Err(error) => refusal = Some(error),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(refusal.unwrap_or_else(|| anyhow::anyhow!("the rights of the chart are not in force")))
}

/// Whether there is nothing to render charts with; says so.
pub fn no_chart() -> anyhow::Result<bool> {
    let none = !charts::can_render()?;
    if none {
        println!("e2e: SKIPPED: the chart's rights: there is no Helm, and no Go to build it with");
    }
    Ok(none)
}
