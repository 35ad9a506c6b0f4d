//! Prints what changes in a cluster: `cargo run -p vexil-kube --example follow -- KUBECONFIG`.

use futures::StreamExt;
use vexil_kube::{Access, CacheEvent, Cluster, Scope, connect};
use vexil_object::{
    Kind, Seen,
    kinds::{CANARY, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, ENDPOINT_SLICE, SERVICE},
    meta,
};

const ROUTE: Kind = Kind::namespaced("traefik.io", "v1alpha1", "TraefikService", "traefikservices");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kubeconfig = std::env::args().nth(1).map(Into::into);
    let client = connect(&Access { kubeconfig, master: None }).await?;
    let (cluster, watches) = Cluster::new(client, Scope::All, vec![]);
    let mut changes = cluster.changes();
    for kind in [CANARY, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, ENDPOINT_SLICE, SERVICE, ROUTE] {
        cluster.watch(kind);
    }
    let print = async {
        while let Some(noted) = changes.next().await {
            println!("{}", line(&cluster, noted));
        }
    };
    tokio::select! {
        biased;
        () = watches.run() => {}
        () = print => {}
    }
    Ok(())
}

fn line(cluster: &Cluster, noted: CacheEvent) -> String {
    match noted {
        CacheEvent::Kind(kind) => {
            let objects = cluster.list(kind, "").map(|objects| objects.len());
            format!(
                "{kind}: {objects:?} objects, trouble: {}",
                cluster.trouble(kind).unwrap_or_else(|| "none".into())
            )
        }
        CacheEvent::Listed(listed) => format!("{} under {}={}", listed.kind, listed.index, listed.value),
        CacheEvent::Object(key) => match cluster.look(&key) {
            Seen::Present(object) => format!("{key} at {}", meta::resource_version(&object)),
            Seen::Absent => format!("{key} is gone"),
            Seen::NotKnown => format!("{key} is not known"),
        },
    }
}
