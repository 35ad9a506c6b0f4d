//! The transport over real sockets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{Client, ClientBuilder, Response, Url, header};
use rustls::crypto::CryptoProvider;
use tokio::time::timeout;

use crate::{
    Allowed, CallError, Method, Oversize, Redirects, Reply, Request, Transport, clients,
    error::call_error,
    policy,
    resolve::{Checked, Lookup, System},
    shown,
    url::host_and_port,
};

/// HTTP over TCP and TLS 1.2 or later. The environment's proxy variables apply (`HTTP_PROXY`, `HTTPS_PROXY`,
/// `NO_PROXY`); behind a proxy, the proxy resolves names and has to check them. One client per TLS mode lives as long
/// as this value.
pub struct Egress {
    verifying: Client,
    trusting: Client,
    with_ca: Mutex<clients::OfAuthorities>,
    builder: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    resolver: Arc<Checked>,
    allowed: Arc<Allowed>,
    in_pod: bool,
    proxies: Matcher,
}

/// The administrator's rules for calls.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The addresses that may be called; empty for all.
    pub allowed: Allowed,
    /// The process runs in a pod, and its loopback interface is that of the sidecars. Without a list of allowed
    /// addresses, replies from there are [`Reply::private`], so that users cannot read them.
    pub in_pod: bool,
}

/// Why no client can be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The process has no TLS implementation: install a `rustls` provider first.
    #[error("no default crypto provider is installed")]
    NoCryptoProvider,
    /// The clients cannot be built, for example because of a proxy variable that is no URL.
    #[error("http client cannot be built")]
    Client(#[from] reqwest::Error),
}

impl Egress {
    /// Builds the clients, without rules of the administrator.
    ///
    /// # Errors
    /// When the process has no default crypto provider, or the environment's settings are unusable.
    pub fn new() -> Result<Self, SetupError> {
        Self::with(Rules::default())
    }

    /// Builds the clients.
    ///
    /// # Errors
    /// As [`Egress::new`].
    pub fn with(rules: Rules) -> Result<Self, SetupError> {
        Self::build(rules, Arc::new(System), Matcher::from_env(), |client| client)
    }

    pub(crate) fn build(
        rules: Rules,
        lookup: Arc<dyn Lookup>,
        proxies: Matcher,
        proxied: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Result<Self, SetupError> {
        let allowed = Arc::new(rules.allowed);
        let checked = Arc::new(Checked { lookup, allowed: Arc::clone(&allowed), proxies: hosts(&proxies) });
        if CryptoProvider::get_default().is_none() {
            return Err(SetupError::NoCryptoProvider);
        }
        let resolver = Arc::clone(&checked);
        let builder = move || proxied(clients::builder(&resolver));
        Ok(Egress {
            verifying: clients::verifying(&builder)?,
            trusting: clients::trusting(&builder)?,
            with_ca: Mutex::default(),
            builder: Box::new(builder),
            resolver: checked,
            allowed,
            in_pod: rules.in_pod,
            proxies,
        })
    }

    async fn exchange(&self, mut request: Request) -> Result<Reply, CallError> {
        let mut hops = match (request.method, request.redirects) {
            (Method::Get, Redirects::SameHost(most)) => most,
            _ => 0,
        };
        loop {
            if let Some(proxy) = &request.proxy {
                policy::check_host(proxy)?;
                self.allowed.check(proxy, false)?;
            }
            let proxied = request.proxy.is_some() || intercept(&self.proxies, request.url.as_str()).is_some();
            if !request.own {
                policy::check_host(&request.url)?;
                self.allowed.check(&request.url, proxied)?;
            }
            let response = self.send(&request).await?;
            let Some(to) = redirect(&request.url, &response) else {
                let private = self.is_private(&request, &response, proxied);
                return Ok(Reply { private, ..read(&request, response).await? });
            };
            let elsewhere = to.host_str() != request.url.host_str();
            if hops == 0 || elsewhere || to.scheme() == "http" && request.url.scheme() == "https" {
                let (host, status) = (host_and_port(&request.url), response.status().as_u16());
                return Err(CallError::Redirected { host, status, to: shown(&to) });
            }
            hops -= 1;
            let next = crate::parse_url(to.as_str())?;
            if next.origin() != request.url.origin() {
                request.headers.clear();
            }
            request.url = next;
        }
    }

    /// Whether the words of a reply are for the operator's own pod alone.
    fn is_private(&self, request: &Request, response: &Response, proxied: bool) -> bool {
        // Behind the user's own proxy the peer is that proxy, which may be a sidecar as well.
        let own_proxy = request.proxy.is_some();
        let peer = response.remote_addr().filter(|_| !proxied || own_proxy);
        let names_loopback = policy::is_loopback(&request.url);
        let loopback = peer.map_or(names_loopback, |peer| peer.ip().to_canonical().is_loopback());
        let loopback = loopback || own_proxy && names_loopback;
        self.in_pod && self.allowed.is_empty() && loopback
    }

    async fn send(&self, request: &Request) -> Result<Response, CallError> {
        let through = |proxy| clients::through(proxy, &self.resolver, request.skip_verify);
        let through = request.proxy.as_ref().map(through).transpose()?;
        let shared = match &request.ca {
            _ if request.skip_verify => self.trusting.clone(),
            Some(ca) => {
                let mut kept = self.with_ca.lock().unwrap_or_else(PoisonError::into_inner);
                kept.client(ca, &self.builder)?
            }
            None => self.verifying.clone(),
        };
        let client = through.unwrap_or(shared);
        let mut url = request.url.clone();
        if request.has_header("authorization") {
            // Otherwise the client would add a second one from the URL. Neither can fail for a URL with a host.
            let _ = (url.set_username(""), url.set_password(None));
        }
        let mut builder = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).body(request.body.clone()),
            Method::Put => client.put(url).body(request.body.clone()),
        };
        for (name, value) in &request.headers {
            let mut value = header::HeaderValue::from_str(value.expose()).map_err(|_| {
                CallError::BadRequest { reason: format!("header {name} has a value that cannot be sent") }
            })?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        builder.send().await.map_err(|e| call_error(&request.url, &e))
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Egress")
    }
}

#[async_trait]
impl Transport for Egress {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let (host, after_ms) = (host_and_port(&request.url), request.deadline_ms);
        let reply = timeout(Duration::from_millis(after_ms), self.exchange(request)).await;
        reply.unwrap_or(Err(CallError::TimedOut { host, after_ms }))
    }
}

/// The proxy that a URL is called through, if it is.
fn intercept(proxies: &Matcher, url: &str) -> Option<Intercept> {
    proxies.intercept(&url.parse().ok()?)
}

/// The hosts of all proxies.
fn hosts(proxies: &Matcher) -> Vec<String> {
    let probes = ["http://any.invalid/", "https://any.invalid/"].iter();
    probes.filter_map(|probe| Some(intercept(proxies, probe)?.uri().host()?.to_owned())).collect()
}

/// Where the server points, when it does.
fn redirect(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

async fn read(request: &Request, mut response: Response) -> Result<Reply, CallError> {
    let limit = request.max_reply_bytes;
    let headers = response.headers().iter();
    let headers =
        headers.filter_map(|(k, v)| Some((k.as_str().to_owned(), v.to_str().ok()?.to_owned()))).collect();
    let mut reply = Reply { status: response.status().as_u16(), headers, ..Reply::default() };
    while let Some(chunk) = response.chunk().await.map_err(|e| call_error(&request.url, &e))? {
        let room = limit - reply.body.len();
        reply.body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if chunk.len() > room {
            reply.truncated = true;
            break;
        }
        if request.until.is_some_and(|end| holds(&reply.body, chunk.len(), end.as_bytes())) {
            break;
        }
    }
    match request.oversize {
        Oversize::Fail if reply.truncated => {
            Err(CallError::TooLarge { host: host_and_port(&request.url), limit })
        }
        Oversize::Fail | Oversize::Cut => Ok(reply),
    }
}

/// Whether a body has this text in the last bytes that were added, or across their beginning.
fn holds(body: &[u8], added: usize, text: &[u8]) -> bool {
    let start = body.len().saturating_sub(added + text.len());
    body.get(start..).is_some_and(|tail| tail.windows(text.len().max(1)).any(|window| window == text))
}

#[cfg(test)]
mod tests;
