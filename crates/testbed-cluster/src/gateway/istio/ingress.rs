//! Istio's ingress gateway: the proxy that requests from outside come to.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};

use crate::gateway::mesh::{Entrance, Product, Sidecars};
use crate::network::{Handler, Refused};

/// The gateway.
#[derive(Debug)]
pub(crate) struct Ingress<P: Product>(pub Arc<Sidecars<P>>);

impl<P: Product> Handler for Ingress<P> {
    fn call(&self, port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.0.answer(Entrance::Gateway, None, port, request).map(Ok).boxed()
    }
}
