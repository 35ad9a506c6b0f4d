//! From a reference to a destination: the AlertProvider, then its Secret.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use vexil_api::{AlertProviderSpec, TemplateRef, parse_alert_provider, summary};
use vexil_egress::Secret;
use vexil_object::{ObjectKey, Objects, Seen, kinds};

use crate::{AddressError, Destination};

/// Why there is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// An object has to be read first; [`needs`] names it.
    #[error("{0} is not known yet")]
    NotKnown(ObjectKey),
    /// There is no such AlertProvider.
    #[error("it does not exist")]
    NoProvider,
    /// The AlertProvider is invalid; the text has every defect.
    #[error("{0}")]
    Invalid(String),
    /// The Secret of the AlertProvider does not exist.
    #[error("secret {0:?} does not exist")]
    NoSecret(String),
    /// The Secret lacks the address.
    #[error("secret {0:?} has no text in the key address")]
    NoAddress(String),
    /// The address cannot be called.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The AlertProvider that a Canary of this namespace refers to.
pub fn provider_key(reference: &TemplateRef, namespace: &str) -> ObjectKey {
    ObjectKey::new(kinds::ALERT_PROVIDER, reference.namespace_or(namespace), &reference.name)
}

/// The objects that have to be read before the destination is known.
pub fn needs(provider: &ObjectKey, have: &Objects) -> Vec<ObjectKey> {
    let secret = || {
        let secret = spec(have.get(provider).object()?).ok()?.secret_ref?;
        Some(ObjectKey::new(kinds::SECRET, provider.namespace(), secret.name))
    };
    let wanted = std::iter::once(provider.clone()).chain(secret());
    wanted.filter(|key| !have.get(key).is_known()).collect()
}

/// Where the alerts of an AlertProvider go. `reader` is the namespace whose users read what failed.
///
/// # Errors
/// What is missing, or what its owner has to correct.
pub fn destination(provider: &ObjectKey, have: &Objects, reader: &str) -> Result<Destination, LookupError> {
    let object = object(provider, have)?.ok_or(LookupError::NoProvider)?;
    let spec = spec(object).map_err(LookupError::Invalid)?;
    let (address, token) = match &spec.secret_ref {
        None => (Secret::new(spec.address.clone().unwrap_or_default()), None),
        Some(secret) => {
            let key = ObjectKey::new(kinds::SECRET, provider.namespace(), &secret.name);
            let name = || secret.name.clone();
            let secret = self::object(&key, have)?.ok_or_else(|| LookupError::NoSecret(name()))?;
            let address = entry(secret, "address").ok_or_else(|| LookupError::NoAddress(name()))?;
            (address, entry(secret, "token"))
        }
    };
    let destination = Destination::of(&spec, address.expose(), token)?;
    Ok(destination.hiding_replies(provider.namespace() != reader))
}

/// The object, `None` when it is known not to exist.
fn object<'a>(key: &ObjectKey, have: &'a Objects) -> Result<Option<&'a Value>, LookupError> {
    match have.get(key) {
        Seen::Present(object) => Ok(Some(object)),
        Seen::Absent => Ok(None),
        Seen::NotKnown => Err(LookupError::NotKnown(key.clone())),
    }
}

/// The spec, checked against its limits, which an API server with an older CRD does not enforce.
fn spec(provider: &Value) -> Result<AlertProviderSpec, String> {
    parse_alert_provider(provider).map_err(|defects| summary(&defects))
}

/// An entry of a Secret as text, without the line break that `echo` leaves at its end.
fn entry(secret: &Value, key: &str) -> Option<Secret> {
    let text = STANDARD.decode(secret.get("data")?.get(key)?.as_str()?).ok()?;
    let text = String::from_utf8(text).ok()?;
    Some(Secret::new(text.trim())).filter(|secret| !secret.expose().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The destination of an AlertProvider `ops/chat` for a Canary of `test`, or why there is none.
    #[track_caller]
    fn check(spec: &Value, secret: Option<&Value>, expect: Result<(&str, Option<&str>), &str>) {
        let key = provider_key(&TemplateRef { name: "chat".into(), namespace: Some("ops".into()) }, "test");
        let mut have = Objects::default();
        assert_eq!(needs(&key, &have).as_slice(), std::slice::from_ref(&key));
        have.insert(key.clone(), Seen::present(json!({"spec": spec})));
        for missing in needs(&key, &have) {
            assert_eq!(missing.to_string(), ObjectKey::new(kinds::SECRET, "ops", "s").to_string());
            let object = secret.map_or(Seen::Absent, |data| Seen::present(json!({"data": data})));
            have.insert(missing, object);
        }
        let found = destination(&key, &have, "test").map_err(|error| error.to_string());
        if let Ok(to) = &found {
            assert!(to.hides_replies() && !format!("{to:?}").contains("MARKER"), "{to:?}");
        }
        let found = found.map(|to| (to.address().to_string(), to.token().map(|t| t.expose().to_owned())));
        let expect = expect.map(|(address, token)| (address.to_owned(), token.map(str::to_owned)));
        assert_eq!(found, expect.map_err(str::to_owned), "{spec}");
    }

    #[test]
    fn an_alert_provider_leads_to_an_address_or_says_what_is_missing() {
        let address = json!({"type": "slack", "address": "http://h/MARKER"});
        check(&address, None, Ok(("http://h/MARKER", None)));
        let by_secret = json!({"type": "slack", "secretRef": {"name": "s"}});
        let data =
            |address: &str| json!({"address": STANDARD.encode(address), "token": STANDARD.encode("t\n")});
        check(&by_secret, Some(&data("http://h/MARKER\n")), Ok(("http://h/MARKER", Some("t"))));
        check(&by_secret, None, Err("secret \"s\" does not exist"));
        let no_address = Err("secret \"s\" has no text in the key address");
        check(&by_secret, Some(&json!({})), no_address);
        check(&by_secret, Some(&json!({"address": "%%%"})), no_address);
        check(&by_secret, Some(&data("")), no_address);
        check(&by_secret, Some(&data("MARKER")), Err("address: address must begin with http:// or https://"));
        check(&json!({"type": "slack"}), None, Err("spec: needs either address or secretRef"));
        check(&json!({"type": 1}), None, Err("spec.type: must be a text, not 1"));
        let proxy = json!({"type": "slack", "address": "http://h/", "proxy": "ftp://MARKER"});
        check(&proxy, None, Err("proxy: scheme ftp is not supported, only http and https are"));
        let key = provider_key(&TemplateRef { name: "gone".into(), namespace: None }, "test");
        let mut have = Objects::default();
        have.insert(key.clone(), Seen::Absent);
        assert_eq!(destination(&key, &have, "test"), Err(LookupError::NoProvider));
    }
}
