//! The connection to the API server of the flags `-kubeconfig` and `-master`, or of the pod's service account.

use std::{path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

/// How to reach the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Path of a kubeconfig (`-kubeconfig`); without one the pod's service account is used.
    pub kubeconfig: Option<PathBuf>,
    /// Address that overrides the one found (`-master`).
    pub master: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be used.
    #[error("cannot use the kubeconfig {}", path.display())]
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// No kubeconfig was given and this is no pod.
    #[error("no -kubeconfig given, and not running in a pod")]
    InCluster(#[source] InClusterError),
    /// `-master` is no address.
    #[error("-master {address:?} is not an address")]
    Master {
        /// What was given.
        address: String,
        /// Why not.
        source: http::uri::InvalidUri,
    },
    /// Certificates, keys or proxy settings cannot be used.
    #[error("cannot set up the connection")]
    Client(#[source] Box<kube::Error>),
}

/// Makes a client. No request is sent.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(access: &Access) -> Result<Client, ConnectError> {
    let mut config = match &access.kubeconfig {
        Some(path) => from_file(path).await?,
        None => Config::incluster().map_err(ConnectError::InCluster)?,
    };
    if let Some(master) = &access.master {
        let address = if master.contains("://") { master.clone() } else { format!("http://{master}") };
        config.cluster_url =
            address.parse().map_err(|source| ConnectError::Master { address: master.clone(), source })?;
    }
    config.connect_timeout = Some(Duration::from_secs(10));
    // A write that is repeated below us after a 504 may be made twice; every retry is decided above.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))
}

async fn from_file(path: &PathBuf) -> Result<Config, ConnectError> {
    let failed = |source| ConnectError::Kubeconfig { path: path.clone(), source: Box::new(source) };
    let kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_with_the_flags_is_said() {
        let missing = Access { kubeconfig: Some("/no/such/file".into()), master: None };
        let error = connect(&missing).await.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("cannot use the kubeconfig /no/such/file"));
    }
}
