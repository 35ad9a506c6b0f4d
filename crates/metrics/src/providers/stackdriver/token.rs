//! OAuth tokens of Google: for the key of a service account (RFC 7523), or from the platform of the operator's pod.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use vexil_egress::{Request, Secret, parse_url};

use super::super::{ProviderError, server::Server};
use crate::{Environment, QueryError};

const NAME: &str = "google token";
const SCOPE: &str = "https://www.googleapis.com/auth/monitoring.read";
const LIFETIME_S: u64 = 600;
/// The metadata server, by its address: the name would need the cluster's name service.
const METADATA: &str = "http://169.254.169.254/computeMetadata/v1";

/// A service account and its key.
pub(super) struct Account {
    email: String,
    server: Server,
    audience: String,
    key: RsaKeyPair,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default = "google")]
    token_uri: String,
}

fn google() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl Account {
    /// Reads the key file that Google makes for a service account.
    pub(super) fn of(file: &Secret) -> Result<Self, ProviderError> {
        let wrong = ProviderError::Setting(
            "stackdriver credentials have a serviceAccountKey that is no JSON key of a service account",
        );
        let file: KeyFile = serde_json::from_str(file.expose()).map_err(|_| wrong)?;
        let no_key = || {
            ProviderError::Setting(
                "stackdriver credentials have a serviceAccountKey without an RSA key in PEM form (PKCS #8)",
            )
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes()).map_err(|_| no_key())?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| no_key())?;
        let server = Server::at(NAME, &file.token_uri)?;
        Ok(Account { email: file.client_email, server, audience: file.token_uri, key })
    }

    /// A signed statement of who asks for a token.
    fn assertion(&self, now_ms: u64) -> Result<String, QueryError> {
        let issued = now_ms / 1_000;
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.audience, "iat": issued, "exp": issued + LIFETIME_S,
        });
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let text =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
        signed.map_err(|_| QueryError::Query("the serviceAccountKey cannot sign".to_owned()))?;
        Ok(format!("{text}.{}", encode(&signature)))
    }

    fn request(&self, now_ms: u64) -> Result<Request, QueryError> {
        let url = self.server.url("");
        let mut form = url.clone();
        form.query_pairs_mut()
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &self.assertion(now_ms)?);
        let body = form.query().unwrap_or_default().to_owned();
        Ok(self.server.post(url, "application/x-www-form-urlencoded", body))
    }
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
}

/// A token for a service account.
pub(super) async fn of_account(
    environment: &Environment<'_>,
    account: &Account,
) -> Result<Secret, QueryError> {
    let reply = environment.transport.call(account.request(environment.now_ms)?).await?;
    let issued: Result<Issued, _> = account.server.json(&reply);
    // A reply with status 200 may be a token, so it is never repeated.
    issued.map(|issued| Secret::new(issued.access_token)).map_err(QueryError::without_reply_text)
}

/// A token of the operator's own service account (Workload Identity).
pub(super) async fn of_operator(environment: &Environment<'_>) -> Result<Secret, QueryError> {
    let body = metadata(environment, "/instance/service-accounts/default/token").await?;
    let issued: Result<Issued, _> = serde_json::from_slice(&body);
    let wrong = |_| QueryError::Query("the metadata server has no token for the operator".to_owned());
    issued.map(|issued| Secret::new(issued.access_token)).map_err(wrong)
}

/// The project that the operator runs in.
pub(super) async fn project(environment: &Environment<'_>) -> Result<String, QueryError> {
    if let Some(project) = environment.platform.variable("GOOGLE_CLOUD_PROJECT").filter(|id| !id.is_empty()) {
        return Ok(project);
    }
    let body = metadata(environment, "/project/project-id").await?;
    Ok(String::from_utf8_lossy(&body).trim().to_owned())
}

async fn metadata(environment: &Environment<'_>, path: &str) -> Result<Vec<u8>, QueryError> {
    let url = parse_url(&format!("{METADATA}{path}"))?;
    let request = Request { own: true, ..Request::get(url) }.header("Metadata-Flavor", "Google");
    let reply = environment.transport.call(request).await?;
    let status = Some(reply.status_line()).filter(|_| reply.status != 200);
    match status {
        Some(_) => Err(QueryError::Refused { status, said: "from the metadata server".to_owned() }),
        None => Ok(reply.body),
    }
}
