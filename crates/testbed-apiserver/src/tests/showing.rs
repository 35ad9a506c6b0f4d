//! Discovery, reviews, tables, and the other forms in which objects are shown; and the same over TCP.

use super::*;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

fn words(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn tables_have_the_columns_that_kubectl_shows() {
    let bench = Bench::new();
    bench.all(vec![("POST", CRDS, widgets()), ("POST", WIDGETS, widget("w", json!({"n": 3})))]).await;
    bench.all(vec![("POST", DEPLOYMENTS, deployment("app"))]).await;
    tokio::time::sleep(std::time::Duration::from_secs(125)).await;
    for (path, columns, cells) in [
        (WIDGETS, "Name Count Age", json!(["w", 3, "2m5s"])),
        (
            DEPLOYMENTS,
            "Name Ready Up-to-date Available Age Containers Images Selector",
            json!(["app", "0/1", 0, 0, "2m5s", "app", "app:1", "app=app"]),
        ),
    ] {
        let (_, table) = bench.send_for(TABLE, ("GET", path, Value::Null)).await;
        assert_eq!(words(&table["columnDefinitions"], "name").join(" "), columns);
        assert_eq!(table["rows"][0]["cells"], cells);
        assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    }
    let (_, list) = bench.send_for(METADATA, ("GET", DEPLOYMENTS, Value::Null)).await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(
        (&list["items"][0]["metadata"]["name"], &list["items"][0]["spec"]),
        (&json!("app"), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn discovery_names_every_kind_and_its_parts() {
    let bench = Bench::new();
    bench.all(vec![("POST", CRDS, widgets())]).await;
    let (_, apps) = bench.send(("GET", "/apis/apps/v1", Value::Null)).await;
    let names = words(&apps["resources"], "name");
    assert!(
        ["deployments", "deployments/scale", "deployments/status"]
            .iter()
            .all(|n| names.contains(&(*n).to_owned()))
    );
    let (_, own) = bench.send(("GET", "/apis/t.io/v1", Value::Null)).await;
    assert_eq!(words(&own["resources"], "name"), ["widgets", "widgets/status", "widgets/scale"]);
    bench.check(("GET", "/version", Value::Null), 200, json!({"/major": "1", "/minor": "35"})).await;
    bench.check(("GET", "/apis/t.io", Value::Null), 200, json!({"/preferredVersion/version": "v1"})).await;
    let review = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    bench.check(("POST", path, review), 201, json!({"/status/allowed": true})).await;
    bench.check(("GET", "/openapi/v3", Value::Null), 200, json!({})).await;
}

#[tokio::test]
async fn the_same_server_answers_over_tcp() {
    let bench = Bench::new();
    bench.all(vec![("POST", MAPS, map("a", "1"))]).await;
    let listening = bench.server.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let stream = tokio::net::TcpStream::connect(listening.address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("{MAPS}/a")).header("host", "testbed");
    let response = sender.send_request(request.body(String::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(listening.kubeconfig().contains(&listening.url()));
}
