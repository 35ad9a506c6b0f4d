//! Mistakes in AlertProviders and their Secrets. `secret` is the data of the Secret `chat`; without it there is none.

use base64::{Engine, engine::general_purpose::STANDARD};
use expect_test::expect_file;
use serde_json::{Value, json};
use vexil_api::TemplateRef;
use vexil_notifier::{NotifierCatalog, destination, needs, provider_key};
use vexil_object::{Objects, Seen};
use vexil_testbed_cluster::Cluster;

use crate::{answers, refused_by_api_server, table};

/// A Secret as the API server has it, from texts.
pub fn secret(texts: Option<Value>) -> Seen {
    let Some(texts) = texts else { return Seen::Absent };
    let texts = texts.as_object().unwrap().iter();
    let data = texts.map(|(key, text)| (key.clone(), json!(STANDARD.encode(text.as_str().unwrap()))));
    Seen::present(json!({ "data": data.collect::<serde_json::Map<_, _>>() }))
}

/// Why the operator finds no receiver behind the AlertProvider, as the Event of a Canary says it.
fn said_by_operator(object: &Value, secret: &Seen) -> Vec<String> {
    let key = provider_key(&TemplateRef { name: "chat".to_owned(), namespace: None }, "test");
    let mut have = Objects::default();
    have.insert(key.clone(), Seen::present(object.clone()));
    for missing in needs(&key, &have) {
        have.insert(missing, secret.clone());
    }
    let problem = match destination(&key, &have, "test") {
        Err(error) => error.to_string(),
        Ok(to) if NotifierCatalog::default().notifier(to.type_()).is_none() => {
            format!("type {:?} is not supported by this version", to.type_())
        }
        Ok(_) => return Vec::new(),
    };
    vec![format!("operator    {problem}")]
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_alert_providers() {
    let cluster = Cluster::start().await.unwrap();
    let good = json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "AlertProvider",
        "metadata": { "name": "chat", "namespace": "test" },
        "spec": { "type": "slack", "address": "https://hooks.slack.com/services/T0/B0/x" },
    });
    let answer = async |mut object: Value| {
        let secret = secret(object.as_object_mut().unwrap().remove("secret"));
        let api_server = refused_by_api_server(&cluster, "alertproviders", &object).await;
        answers(api_server, said_by_operator(&object, &secret))
    };
    let played = table::play(include_str!("alert_providers.txt"), &good, answer).await;
    expect_file!["alert_providers.txt"].assert_eq(&played);
}
