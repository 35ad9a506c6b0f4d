//! Istio's ingress gateway: the proxy that requests from outside come to.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};

use super::Istio;
use crate::gateway::mesh::{Entrance, Sidecars};
use crate::network::{Handler, Refused};

/// The gateway.
#[derive(Debug)]
pub(super) struct Ingress(pub Arc<Sidecars<Istio>>);

impl Handler for Ingress {
    fn call(&self, port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.0.answer(Entrance::Gateway, None, port, request).map(Ok).boxed()
    }
}
