//! The scenarios against a real API server: the one of `$KUBECONFIG_E2E`. Ignored unless they are asked for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod scenarios;

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use vexil_kube::{Access, Cluster, Scope, connect};
use vexil_object::{
    Seen,
    kinds::{CONFIG_MAP, DEPLOYMENT},
};

fn kubeconfig() -> PathBuf {
    let path = std::env::var_os("KUBECONFIG_E2E").filter(|path| !path.is_empty());
    path.expect("KUBECONFIG_E2E names no kubeconfig").into()
}

/// A name that no earlier run on the same server has left behind.
fn fresh(name: &str) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!(
        "{}-{}",
        name.replace('_', "-").chars().take(40).collect::<String>().trim_end_matches('-'),
        since.as_micros() % 100_000_000
    )
}

macro_rules! on_the_real_api {
    ($($name:ident)*) => {$(
        #[tokio::test]
        #[ignore = "needs a Kubernetes API server: set KUBECONFIG_E2E"]
        async fn $name() {
            let client = connect(&Access { kubeconfig: Some(kubeconfig()), master: None }).await.unwrap();
            scenarios::run(client, &fresh(stringify!($name)), scenarios::$name).await;
        }
    )*};
}

scenarios::each!(on_the_real_api);

#[tokio::test]
#[ignore = "needs a Kubernetes API server: set KUBECONFIG_E2E"]
async fn what_the_role_forbids_is_reported_and_the_rest_works() {
    let path = kubeconfig();
    let admin = connect(&Access { kubeconfig: Some(path.clone()), master: None }).await.unwrap();
    scenarios::run(admin, &fresh("forbidden"), |stage| async move {
        let name = &stage.namespace;
        let user = format!("{name}-user");
        let roles = "/apis/rbac.authorization.k8s.io/v1";
        let rules = |resource: &str, group: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": ["get", "list", "watch"]});
        let role = |rules| json!({"metadata": {"name": name}, "rules": rules});
        stage.create(&format!("{roles}/clusterroles"), role(json!([rules("deployments", "apps")]))).await;
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        stage.create(&format!("{roles}/clusterrolebindings"), binding).await;

        let kubeconfig = kube::config::Kubeconfig::read_from(&path).unwrap();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        config.auth_info.impersonate = Some(user);
        let (cluster, watches) = Cluster::new(config.try_into().unwrap(), Scope::All, vec![]);
        let restricted = scenarios::Stage { cluster, client: stage.client.clone(), namespace: name.clone() };
        let scenario = async {
            restricted.cluster.watch(CONFIG_MAP);
            restricted.until_synced(DEPLOYMENT).await;
            restricted.until("trouble", |cluster| cluster.trouble(CONFIG_MAP).is_some()).await;
            let trouble = restricted.cluster.trouble(CONFIG_MAP).unwrap();
            assert!(trouble.contains("cannot list resource"), "{trouble}");
            let key = restricted.key(CONFIG_MAP, "x");
            assert_eq!(restricted.cluster.look(&key), Seen::NotKnown);
            let refused = restricted.cluster.fetch(&key).await;
            assert!(matches!(refused, Err(vexil_kube::ReadError::Forbidden { .. })), "{refused:?}");
            let granted = role(json!([rules("deployments", "apps"), rules("configmaps", "")]));
            stage.merge(&format!("{roles}/clusterroles/{name}"), granted).await;
            tokio::time::timeout(Duration::from_secs(20), restricted.until_synced(CONFIG_MAP)).await.unwrap();
            assert_eq!(restricted.cluster.trouble(CONFIG_MAP), None);
        };
        tokio::select! {
            biased;
            () = watches.run() => unreachable!(),
            () = scenario => {}
        }
    })
    .await;
}
