//! The same server over TCP, with a kubeconfig for it.

use std::{io, net::SocketAddr, path::Path};

use axum::{Router, body::Body, extract::Request, response::Response};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::Service as _;

use super::{server::ApiServer, service::Service};

/// A server that listens; dropping it ends it.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl ApiServer {
    /// Listens on `address` (port 0 lets the system choose) and serves plain HTTP there until the result is dropped.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<Listening> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let service = Service::new(self.inner.clone(), None);
        let app = Router::new().fallback(move |request: Request| {
            let mut service = service.clone();
            async move { service.call(request).await.unwrap_or_else(broken) }
        });
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the testbed's API server stopped");
            }
        });
        Ok(Listening { address, task })
    }
}

/// A response whose body fails at once, which makes the connection break.
fn broken(error: io::Error) -> Response {
    Response::new(Body::from_stream(futures::stream::once(async move { Err::<bytes::Bytes, _>(error) })))
}

impl Listening {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig for it, as text.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: testbed, cluster: {{server: \"{}\"}}}}]\n\
             users: [{{name: testbed, user: {{}}}}]\n\
             contexts: [{{name: testbed, context: {{cluster: testbed, user: testbed}}}}]\n\
             current-context: testbed\n",
            self.url()
        )
    }

    /// Writes the kubeconfig to a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_kubeconfig(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.kubeconfig())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}
