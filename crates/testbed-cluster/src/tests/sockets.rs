//! The same over TCP, as the demo runs it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{deployment, rolled_out, service, site, split};
use crate::{Cluster, Load, Settings, System, Wire};
use vexil_testbed_promql::QueryValue;

async fn through_proxy(cluster: &Cluster, head: &str, body: &str) -> String {
    let proxy = cluster.proxy_url().unwrap();
    let mut stream = TcpStream::connect(proxy.trim_start_matches("http://")).await.unwrap();
    let request = format!("{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn start(system: System) -> Cluster {
    let short = Duration::from_millis(20);
    let settings = Settings {
        wire: Wire::Sockets,
        pod_start: short,
        pod_linger: short,
        gateway_delay: short,
        scrape_interval: short,
        system,
        ..Settings::default()
    };
    Cluster::with(settings).await.unwrap()
}

#[tokio::test]
async fn pods_and_gateway_are_scraped_over_tcp() {
    let cluster = start(System::Apisix).await;
    let route = "---
apiVersion: apisix.apache.org/v2
kind: ApisixRoute
metadata: {name: podinfo, namespace: test}
spec:
  http:
  - name: all
    match: {paths: [/*]}
    backends: [{serviceName: podinfo, servicePort: http}]
    plugins: [{name: prometheus, enable: true, config: {prefer_name: true}}]
";
    let site = deployment("podinfo", 1, "podinfo:6.0.0", "", "") + "---\n" + &service("podinfo", "podinfo");
    cluster.apply_yaml(&(site + route)).await.unwrap();
    for query in [
        "apisix_http_status{code=\"200\",route=\"test_podinfo_all\"} > 0",
        "http_requests_total{kubernetes_namespace=\"test\",kubernetes_pod_name=~\"podinfo-.+\"} > 0",
    ] {
        let measured = async |cluster: &Cluster| {
            cluster.load(Load::new("http://app.example.com/").requests(1)).finished().await;
            matches!(cluster.query(query), Ok(QueryValue::Vector { elements, .. }) if elements.len() == 1)
        };
        cluster.run_until(Duration::from_secs(10), measured).await.unwrap();
    }
}

#[tokio::test]
async fn sidecars_split_requests_over_tcp_and_through_the_proxy() {
    let cluster = start(System::Kuma(&["TrafficRoute"])).await;
    let route = "---
apiVersion: kuma.io/v1alpha1
kind: TrafficRoute
mesh: default
metadata: {name: podinfo}
spec:
  sources: [{match: {kuma.io/service: '*'}}]
  destinations: [{match: {kuma.io/service: podinfo_test_svc_80}}]
  conf: {split: [{weight: 100, destination: {kuma.io/service: podinfo-canary_test_svc_80}}]}
";
    let parts = [
        deployment("podinfo-primary", 1, "podinfo:6.0.0", "", ""),
        deployment("podinfo", 1, "podinfo:6.0.1", "", ""),
        service("podinfo", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
    ];
    cluster.apply_yaml(&(parts.join("---\n") + route)).await.unwrap();
    let split = async |cluster: &Cluster| {
        let load = Load::new("http://podinfo.test/").requests(1);
        cluster.load(load).finished().await.share("6.0.1") == 1.0
    };
    cluster.run_until(Duration::from_secs(10), split).await.unwrap();
    let answer = through_proxy(&cluster, "GET http://podinfo.test/ HTTP/1.1\r\nhost: podinfo.test", "").await;
    assert!(answer.contains("6.0.1"), "{answer}");
}

#[tokio::test]
async fn requests_travel_over_tcp_and_through_the_proxy() {
    let cluster = start(System::default()).await;
    site(&cluster, "6.0.1", "").await;
    rolled_out(&cluster, "podinfo-primary").await;
    rolled_out(&cluster, "podinfo").await;
    split(&cluster, 50, Some(50)).await;
    let routed = async |cluster: &Cluster| {
        let load = Load::of_site("app.example.com").requests(1);
        cluster.load(load).finished().await.by_status.contains_key(&200)
    };
    cluster.run_until(Duration::from_secs(10), routed).await.unwrap();
    let tally = cluster.load(Load::of_site("app.example.com").per_second(400).requests(40)).finished().await;
    assert_eq!((tally.errors(), tally.by_version.len()), (0, 2), "{tally:?}");

    let hook = r#"{"name": "podinfo", "namespace": "test", "phase": "Progressing",
        "metadata": {"type": "bash", "cmd": "curl -sd 'test' http://podinfo-canary.test/token | grep token"}}"#;
    let head = "POST http://flagger-loadtester.test/ HTTP/1.1\r\nhost: flagger-loadtester.test";
    let answer = through_proxy(&cluster, head, hook).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let check = async |target: &str, expect: &str| {
        let host = target.split('/').nth(2).unwrap();
        let answer = through_proxy(&cluster, &format!("GET {target} HTTP/1.1\r\nhost: {host}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(expect), "{target}: {answer}");
    };
    check("http://flagger-prometheus.traefik:9090/api/v1/query?query=vector(1)", "\"success\"").await;
    check(&format!("{}/api/v1/namespaces/test/pods", cluster.api_url().unwrap()), "PodList").await;
    let answer = through_proxy(&cluster, "GET http://nowhere.test/ HTTP/1.1\r\nhost: nowhere.test", "").await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("no such host"), "{answer}");
}
