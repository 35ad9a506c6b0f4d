//! What is installed on a cluster: namespaces, definitions, and what the installation of its system makes.

use kube::Client;
use serde_json::json;

use super::Cluster;
use crate::system::System;
use crate::{objects, view};

/// Installs on any cluster what one of a system has before its guide begins: the namespaces `test` and those of the
/// system, the definitions of `flagger.app` and of the system, and what the system's installation makes.
///
/// # Errors
/// When the API server refuses it.
pub async fn install(client: &Client, system: System) -> anyhow::Result<()> {
    ground(client, system).await?;
    definitions(client, system).await
}

async fn ground(client: &Client, system: System) -> anyhow::Result<()> {
    for name in system.namespaces().iter().chain(&["test"]) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        objects::apply(client, &namespace).await?;
    }
    for crd in vexil_api::crds()? {
        objects::apply(client, &crd.manifest).await?;
    }
    Ok(())
}

async fn definitions(client: &Client, system: System) -> anyhow::Result<()> {
    for object in system.definitions()?.into_iter().chain(system.objects()?) {
        objects::apply(client, &object).await?;
    }
    Ok(())
}

impl Cluster {
    /// Installs what a fresh cluster has.
    pub(super) async fn prepare(&self, install_crds: bool) -> anyhow::Result<()> {
        ground(&self.client, self.system).await?;
        if install_crds { self.install_crds().await } else { Ok(()) }
    }

    /// Installs the definitions of the cluster's system, and what its installation makes.
    ///
    /// # Errors
    /// When they are refused.
    pub async fn install_crds(&self) -> anyhow::Result<()> {
        definitions(&self.client, self.system).await
    }

    /// Takes away the definitions of the cluster's system, and all objects of these kinds with them.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn remove_crds(&self) -> anyhow::Result<()> {
        for definition in self.system.definitions()? {
            let name = view::name(&definition);
            self.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name).await?;
        }
        Ok(())
    }

    /// What splits traffic here.
    pub fn system(&self) -> System {
        self.system
    }
}
