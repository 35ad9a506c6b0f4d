//! AWS keys: those of a Secret, or those that the platform gives to the operator's pod.

use std::iter;

use aws_credential_types::Credentials as AwsCredentials;
use aws_smithy_runtime_api::client::identity::Identity;
use serde::Deserialize;
use vexil_egress::{Request, Secret, Url, parse_url};

use super::super::{ProviderError, lookup_key, server::Server};
use crate::{Credentials, Environment, QueryError, provider::kept};

const STS: &str = "sts";
const POD: &str = "container credentials";

/// A key, and the token that goes with it if it is temporary.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    id: String,
    secret: Secret,
    session: Option<Secret>,
}

impl Keys {
    pub(super) fn of_secret(provider: &'static str, entries: &Credentials) -> Result<Self, ProviderError> {
        let key = |key| lookup_key(provider, Some(entries), key, key);
        Ok(Keys {
            id: key("aws_access_key_id")?.expose().to_owned(),
            secret: key("aws_secret_access_key")?,
            session: entries.get("aws_session_token").cloned(),
        })
    }

    /// What no message may repeat.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        iter::once(&self.secret).chain(&self.session)
    }

    pub(super) fn identity(&self) -> Identity {
        let session = self.session.as_ref().map(|token| token.expose().to_owned());
        AwsCredentials::new(self.id.clone(), self.secret.expose(), session, None, "vexil").into()
    }
}

/// The domain of a region's services.
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The keys of the operator's own pod, by the variables that the AWS SDKs read: static keys, a web identity (IAM roles
/// for service accounts), or container credentials (EKS Pod Identity).
pub(super) async fn of_operator(environment: &Environment<'_>, region: &str) -> Result<Keys, QueryError> {
    let variable = |name: &str| environment.platform.variable(name).filter(|value| !value.is_empty());
    if let (Some(id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        let session = variable("AWS_SESSION_TOKEN").map(Secret::new);
        return Ok(Keys { id, secret: Secret::new(secret), session });
    }
    if let (Some(role), Some(path)) = (variable("AWS_ROLE_ARN"), variable("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        let token =
            environment.platform.file(&path).ok_or_else(|| unreadable("AWS_WEB_IDENTITY_TOKEN_FILE"))?;
        let address = format!("https://sts.{region}.{}", domain(region));
        let server = Server::at(STS, &address).map_err(|e| QueryError::Query(e.to_string()))?;
        let reply = environment.transport.call(web_identity(&server, &role, token.trim())).await?;
        let answer: Answer = kept(&reply, server.json(&reply)).map_err(QueryError::without_reply_text)?;
        return Ok(answer.assumed.result.credentials.into());
    }
    if let Some(address) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let url = parse_url(&address)?;
        let token =
            variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| environment.platform.file(&path));
        let token = match token {
            Some(token) => Some(token.ok_or_else(|| unreadable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))?),
            None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        let server = Server::at(POD, &address).map_err(|e| QueryError::Query(e.to_string()))?;
        let reply = environment.transport.call(of_container(url, token.as_deref())).await?;
        let issued: Issued = server.json(&reply).map_err(QueryError::without_reply_text)?;
        return Ok(issued.into());
    }
    Err(QueryError::Query(
        "the template has no secretRef, and the operator has no keys of its own (AWS_ACCESS_KEY_ID, AWS_ROLE_ARN or \
         AWS_CONTAINER_CREDENTIALS_FULL_URI)"
            .to_owned(),
    ))
}

fn unreadable(variable: &str) -> QueryError {
    QueryError::Query(format!("the file that {variable} names cannot be read"))
}

/// `AssumeRoleWithWebIdentity`, which needs no signature.
fn web_identity(server: &Server, role: &str, token: &str) -> Request {
    let url = server.url("/");
    let mut form = url.clone();
    form.query_pairs_mut()
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", role)
        .append_pair("RoleSessionName", "vexil")
        .append_pair("WebIdentityToken", token);
    let body = form.query().unwrap_or_default().to_owned();
    server.post(url, "application/x-www-form-urlencoded", body).header("Accept", "application/json")
}

fn of_container(url: Url, token: Option<&str>) -> Request {
    let request = Request { own: true, ..Request::get(url) };
    match token {
        Some(token) => request.header("Authorization", token.trim()),
        None => request,
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "AssumeRoleWithWebIdentityResponse")]
    assumed: Assumed,
}

#[derive(Deserialize)]
struct Assumed {
    #[serde(rename = "AssumeRoleWithWebIdentityResult")]
    result: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    credentials: Issued,
}

/// Keys as services hand them out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
}

impl From<Issued> for Keys {
    fn from(issued: Issued) -> Self {
        Keys {
            id: issued.access_key_id,
            secret: Secret::new(issued.secret_access_key),
            session: issued.token.map(Secret::new),
        }
    }
}
