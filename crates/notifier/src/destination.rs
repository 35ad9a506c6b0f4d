//! Where alerts go: what an AlertProvider or the operator's flags say, ready to be called.

use std::fmt;

use serde_json::Value;
use vexil_api::AlertProviderSpec;
use vexil_egress::{CallError, Request, Secret, Url, parse_url};

/// How long a service has for its reply, in milliseconds, as in Flagger.
const DEADLINE_MS: u64 = 5_000;
/// Shorter parts of an address are words such as `services`, not secrets.
const SECRET_LENGTH: usize = 8;

/// Where alerts go. Its address is a secret: it is all that is needed to post to the channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    type_: String,
    address: Url,
    token: Option<Secret>,
    channel: String,
    username: String,
    proxy: Option<Url>,
    hides_replies: bool,
}

/// An address that cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct AddressError {
    /// The field, or the key of the Secret.
    pub field: &'static str,
    /// What is wrong with it, without a part of it.
    pub problem: CallError,
}

impl Destination {
    /// A service of this type at this address, with the defaults of an AlertProvider.
    ///
    /// # Errors
    /// When the address cannot be called.
    pub fn at(type_: &str, address: &str) -> Result<Self, AddressError> {
        Destination::of(&AlertProviderSpec { type_: type_.to_owned(), ..Default::default() }, address, None)
    }

    /// The service of a spec. Address and token come from the spec or from its Secret.
    ///
    /// # Errors
    /// When the address or the proxy cannot be called.
    pub fn of(spec: &AlertProviderSpec, address: &str, token: Option<Secret>) -> Result<Self, AddressError> {
        let url = |field, text: &str| parse_url(text).map_err(|problem| AddressError { field, problem });
        let proxy = spec.proxy.as_deref().filter(|proxy| !proxy.is_empty());
        Ok(Destination {
            type_: spec.type_.clone(),
            address: url("address", address)?,
            token: token.filter(|token| !token.expose().is_empty()),
            channel: spec.channel().to_owned(),
            username: spec.username().to_owned(),
            proxy: proxy.map(|proxy| url("proxy", proxy)).transpose()?,
            hides_replies: false,
        })
    }

    /// Keeps what the service replies out of messages: their readers could not call it themselves.
    #[must_use]
    pub fn hiding_replies(self, hides_replies: bool) -> Self {
        Destination { hides_replies, ..self }
    }

    /// The type of the service.
    pub fn type_(&self) -> &str {
        &self.type_
    }

    /// The address that is called.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// The access token, if there is one.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// The channel to post to.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The name of the sender.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Whether replies stay out of messages.
    pub(crate) fn hides_replies(&self) -> bool {
        self.hides_replies
    }

    /// A POST of this body: 5 s for the reply, through the proxy if there is one.
    pub fn post(&self, body: &Value) -> Request {
        // A JSON value always serialises.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let request = Request::post(self.address.clone(), body).header("Content-Type", "application/json");
        Request { deadline_ms: DEADLINE_MS, proxy: self.proxy.clone(), ..request }
    }

    /// A text without the token and without the parts of the address that may be secret. Servers repeat the path of a
    /// request in their error pages.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        let mut secrets = vec![self.address.path().to_owned()];
        for url in std::iter::once(&self.address).chain(&self.proxy) {
            secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
            secrets.extend(url.query().map(str::to_owned));
            secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
            secrets.extend(url.password().map(str::to_owned));
        }
        secrets.retain(|secret| secret.len() >= SECRET_LENGTH);
        secrets.extend(self.token.iter().map(|token| token.expose().to_owned()));
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
    }
}

/// The type and the host; the path of such an address is a password.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.type_, self.address.host_str().unwrap_or_default())
    }
}
