//! What the charts are rendered with, and what must come of it. A new case is one line.

/// What must come of it.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// It renders, and each of these is in it (as YAML, sorted, one line each).
    Holds(&'static [&'static str]),
    /// It renders, and none of these is in it.
    Lacks(&'static [&'static str]),
    /// Helm refuses it and says this.
    Refuses(&'static str),
}

/// Values of `charts/vexil`, as `--set` takes them, in the release `flagger` in `flagger-system`.
pub const OPERATOR: &[(&[&str], Expect)] = {
    use Expect::{Holds, Lacks, Refuses};
    &[
        (&[], Holds(&["-metrics-server=http://prometheus:9090", "-log-level=info", "type: Recreate"])),
        (&[], Holds(&["trafficsplits", "apisixroutes", "traefikservices", "trafficroutes"])),
        (&[], Lacks(&["-mesh-provider=", "-namespace=", "flagger-prometheus", "leases"])),
        (&["meshProvider=kubernetes"], Lacks(&["trafficsplits", "apisixroutes", "traefikservices"])),
        (&["meshProvider=traefik"], Holds(&["-mesh-provider=traefik", "traefik.containo.us"])),
        (&["meshProvider=traefik"], Lacks(&["apisixroutes", "trafficsplits", "flagger-routes"])),
        (&["meshProvider=traefik", "rbac.providers={apisix}"], Holds(&["traefikservices", "apisixroutes"])),
        (&["meshProvider=traefik", "traefik.apiGroup=traefik.io"], Lacks(&["containo.us"])),
        (&["meshProvider=traefik", "traefik.apiGroup=x"], Refuses("traefik/apiGroup")),
        (&["meshProvider=apisix"], Holds(&["-mesh-provider=apisix", "apisixroutes"])),
        (&["meshProvider=kuma"], Holds(&["trafficroutes", "name: flagger-routes", "namespace: kuma-system"])),
        (&["meshProvider=kuma", "kuma.systemNamespace=mesh"], Holds(&["-kuma-system-namespace=mesh"])),
        (&["meshProvider=kuma", "kuma.systemNamespace=mesh"], Lacks(&["kuma-system\n"])),
        (&["meshProvider=kuma", "kuma.routeKind=TrafficRoute"], Lacks(&["flagger-routes"])),
        (&["meshProvider=kuma", "kuma.routeKind=MeshHTTPRoute"], Holds(&["-kuma-route-kind=MeshHTTPRoute"])),
        (&["meshProvider=smi:istio"], Holds(&["-mesh-provider=smi:istio", "trafficsplits"])),
        (&["meshProvider=smi:v1alpha2:linkerd"], Holds(&["trafficsplits"])),
        (&["meshProvider=linkerd"], Holds(&["-mesh-provider=linkerd", "trafficsplits"])),
        (&["meshProvider=smi:v1alpha4"], Refuses("\"smi:v1alpha4\" is not a provider of this version")),
        (&["meshProvider=smi:"], Refuses("\"smi:\" is not a provider")),
        (&["meshProvider=istio"], Holds(&["-mesh-provider=istio", "virtualservices", "destinationrules"])),
        (&["meshProvider=istio"], Lacks(&["trafficsplits", "apisixroutes", "traefikservices"])),
        (
            &["meshProvider=gatewayapi:v1"],
            Holds(&["-mesh-provider=gatewayapi:v1", "httproutes", "grpcroutes"]),
        ),
        (&["meshProvider=gatewayapi:v1"], Lacks(&["trafficsplits", "virtualservices"])),
        (&["meshProvider=contour"], Holds(&["-mesh-provider=contour", "- httpproxies"])),
        (&["meshProvider=contour"], Lacks(&["ingresses", "-ingress-class"])),
        (&["meshProvider=contour", "ingressClass=public"], Holds(&["-ingress-class=public"])),
        (&["meshProvider=gloo"], Holds(&["-mesh-provider=gloo", "- routetables", "- upstreams"])),
        (&["meshProvider=skipper"], Holds(&["-mesh-provider=skipper", "- ingresses"])),
        (&["meshProvider=knative"], Holds(&["-mesh-provider=knative", "serving.knative.dev", "- revisions"])),
        (&["meshProvider=nginx"], Holds(&["-mesh-provider=nginx", "- ingresses"])),
        (&["meshProvider=traefik"], Lacks(&["ingresses", "-ingress-annotations-prefix"])),
        (
            &["meshProvider=nginx", "ingressAnnotationsPrefix=custom.example.com"],
            Holds(&["-ingress-annotations-prefix=custom.example.com"]),
        ),
        (&["meshProvider=osm"], Refuses("\"osm\" is not a provider of this version; it knows apisix, ")),
        (&["meshProvider=traefik", "rbac.providers={osm}"], Refuses("rbac.providers: \"osm\" is not a")),
        (
            &["slack.proxy=x", "threadiness=2", "metricsServer="],
            Refuses(
                "value slack.proxy: it never had an effect; use slack.proxyUrl\n\
                 value threadiness: there are no workers to count; remove it\n\
                 value metricsServer: the address",
            ),
        ),
        (
            &["image.repository=r/fluxcd/flagger"],
            Refuses("image.repository: \"r/fluxcd/flagger\" is the image"),
        ),
        (&["image.repository=r/my-flagger"], Holds(&["r/my-flagger:0"])),
        (&["prometheus.install=true"], Holds(&["-metrics-server=http://flagger-prometheus:9090"])),
        (&["prometheus.install=true"], Holds(&["job_name: kubernetes-pods", "nodes/proxy", "/-/ready"])),
        (
            &["prometheus.install=true", "prometheus.retention=6h"],
            Holds(&["--storage.tsdb.retention.time=6h"]),
        ),
        (&["metricsServer="], Refuses("metricsServer: the address of a Prometheus is needed")),
        (&["namespace=test"], Holds(&["-namespace=test", "kind: RoleBinding", "namespace: test"])),
        (
            &["leaderElection.enabled=true"],
            Holds(&["flagger-leader-election", "-enable-leader-election=true"]),
        ),
        (
            &["leaderElection.enabled=true", "leaderElection.replicaCount=2"],
            Holds(&["-leader-election-namespace=flagger-system", "replicas: 2"]),
        ),
        (&["leaderElection.enabled=true", "leaderElection.replicaCount=2"], Lacks(&["type: Recreate"])),
        (&["leaderElection.replicaCount=2"], Refuses("several replicas need leaderElection.enabled=true")),
        (&["rbac.create=false"], Lacks(&["kind: ClusterRole"])),
        (&["serviceAccount.create=false"], Lacks(&["kind: ServiceAccount\nmetadata"])),
        (&["serviceAccount.create=false"], Holds(&["serviceAccountName: default"])),
        (&["serviceAccount.name=other"], Holds(&["serviceAccountName: other", "name: other"])),
        (&["crd.create=false"], Lacks(&["CustomResourceDefinition\nmetadata"])),
        (&["crd.create=true"], Holds(&["helm.sh/resource-policy: keep", "name: canaries.flagger.app"])),
        (&["selectorLabels=app\\,name", "includeLabelPrefix=x"], Holds(&["-selector-labels=app,name"])),
        (
            &["eventWebhook=http://hook/", "noCrossNamespaceRefs=true"],
            Holds(&["-event-webhook=http://hook/"]),
        ),
        (&["allowedAddresses={*.test,10.0.0.0/8}"], Holds(&["-allowed-addresses=*.test,10.0.0.0/8"])),
        (&["noCrossNamespaceRefs=true"], Holds(&["-no-cross-namespace-refs=true"])),
        (&["minAnalysisInterval=5s"], Holds(&["-min-analysis-interval=5s"])),
        (&["image.tag=1.2", "image.pullSecret=key"], Holds(&["vexil:1.2", "imagePullSecrets"])),
        (&["podDisruptionBudget.enabled=true"], Holds(&["kind: PodDisruptionBudget"])),
        (&[], Lacks(&["kind: NetworkPolicy", "kind: AuthorizationPolicy"])),
        (&["networkPolicy.enabled=true"], Holds(&["kind: NetworkPolicy", "port: http"])),
        (&["networkPolicy.enabled=true", "crd.create=false"], Lacks(&["- Egress", "  from:\n"])),
        (
            &["networkPolicy.enabled=true", "networkPolicy.from[0].podSelector.matchLabels.app=p"],
            Holds(&["  from:\n", "- podSelector:", "app: p\n"]),
        ),
        (
            &["networkPolicy.enabled=true", "networkPolicy.egress[0].ports[0].port=443"],
            Holds(&["- Egress", "  egress:\n", "port: 443"]),
        ),
        (&["networkPolicy.enabled=yes"], Refuses("networkPolicy/enabled")),
        (
            &["linkerdAuthPolicy.create=true"],
            Holds(&["name: prometheus-admin-flagger", "namespace: linkerd-viz", "name: prometheus-admin\n"]),
        ),
        (&["linkerdAuthPolicy.create=true", "linkerdAuthPolicy.namespace=viz"], Holds(&["namespace: viz\n"])),
        (&["serviceMonitor.enabled=true", "podMonitor.enabled=true"], Holds(&["kind: ServiceMonitor"])),
        (&["podMonitor.enabled=true"], Holds(&["kind: PodMonitor"])),
        (&["podPriorityClassName=high", "podLabels.a=b"], Holds(&["priorityClassName: high"])),
        (&["env[0].name=EVENT_WEBHOOK_URL", "env[0].value=x"], Holds(&["EVENT_WEBHOOK_URL"])),
        (&["env[0].name=SLACK_URL", "env[0].value=x"], Holds(&["SLACK_URL"])),
        (
            &["slack.url=http://chat/", "slack.channel=c"],
            Holds(&["-slack-url=http://chat/", "-slack-channel=c"]),
        ),
        (&["slack.token=t", "slack.user=u"], Holds(&["-slack-token=t", "-slack-user=u"])),
        (&["slack.proxyUrl=http://p/"], Holds(&["-slack-proxy-url=http://p/"])),
        (&["slack.proxy=http://p/"], Refuses("value slack.proxy")),
        (
            &["msteams.url=http://t/", "clusterName=east"],
            Holds(&["-msteams-url=http://t/", "-cluster-name=east"]),
        ),
        (&["msteams.proxyUrl=http://p/"], Holds(&["-msteams-proxy-url=http://p/"])),
        (&[], Holds(&["-enable-config-tracking=true", "configmaps"])),
        (&["configTracking.enabled=false"], Holds(&["-enable-config-tracking=false"])),
        (&["configTracking.enabled=false"], Lacks(&["configmaps"])),
        (&[], Holds(&["- keptnmetrics", "- external.metrics.k8s.io"])),
        (&["nameOverride=flagger"], Holds(&["app.kubernetes.io/name: flagger"])),
        (&["fullnameOverride=x"], Holds(&["serviceAccountName: x"])),
        (&["meshProvder=traefik"], Refuses("additional properties 'meshProvder' not allowed")),
        (&["image.tagg=1"], Refuses("additional properties 'tagg' not allowed")),
    ]
};

/// Values of `charts/loadtester`, in the release `flagger-loadtester` in `test`.
pub const LOADTESTER: &[(&[&str], Expect)] = {
    use Expect::{Holds, Lacks, Refuses};
    &[
        (&[], Holds(&["-port=8080", "-timeout=1h", "port: 80\n", "automountServiceAccountToken: false"])),
        (&["cmd.namespaceRegexp=^test$", "cmd.timeout=5m"], Holds(&["-namespace-regexp=^test$"])),
        (&[], Lacks(&["kind: Role", "kind: ServiceAccount"])),
        (&["rbac.create=true"], Holds(&["kind: Role\n", "automountServiceAccountToken: true"])),
        (&["rbac.create=true", "rbac.scope=cluster"], Holds(&["kind: ClusterRole\n"])),
        (&["rbac.create=true", "rbac.scope=world"], Refuses("\"world\" is neither cluster nor namespace")),
        (&["rbac.create=true", "serviceAccountName=mine"], Holds(&["name: mine", "kind: RoleBinding"])),
        (&["rbac.create=true", "serviceAccountName=mine"], Lacks(&["kind: ServiceAccount\nmetadata"])),
        (&["podDisruptionBudget.enabled=true"], Holds(&["kind: PodDisruptionBudget"])),
        (&[], Lacks(&["kind: NetworkPolicy", "kind: VirtualService"])),
        (&["networkPolicy.enabled=true"], Refuses("networkPolicy.from: name who may call")),
        (
            &["networkPolicy.enabled=true", "networkPolicy.from[0].namespaceSelector.matchLabels.a=b"],
            Holds(&["kind: NetworkPolicy", "- namespaceSelector:", "a: b\n"]),
        ),
        (
            &["istio.enabled=true", "istio.host=tester.test"],
            Holds(&["kind: VirtualService", "- tester.test", "host: flagger-loadtester.test.svc"]),
        ),
        (&["istio.enabled=true"], Lacks(&["kind: Gateway"])),
        (
            &["istio.enabled=true", "istio.gateway.enabled=true", "istio.tls.enabled=true"],
            Holds(&["kind: Gateway", "credentialName: flagger-loadtester"]),
        ),
        (
            &["istio.enabled=true", "istio.gateway.enabled=true", "istio.tls.httpsRedirect=true"],
            Holds(&["httpsRedirect: true"]),
        ),
        (
            &["appmesh.enabled=true", "meshName=m"],
            Refuses("value appmesh.enabled: App Mesh has been shut down; remove it\nvalue meshName: "),
        ),
        (&["image.repository=fluxcd/flagger-loadtester"], Refuses("is the image of Flagger's load tester")),
        (&["service.port=0"], Refuses("service/port")),
        (&["replicas=2"], Refuses("additional properties 'replicas' not allowed")),
    ]
};

/// Values of `charts/grafana`, in the release `grafana` in `flagger-system`.
pub const GRAFANA: &[(&[&str], Expect)] = {
    use Expect::{Holds, Lacks, Refuses};
    &[
        (&[], Refuses("value password: a password is needed, or existingSecret")),
        (&["password=x", "token=y"], Refuses("value token: it was for a hosted service")),
        (&["token=y", "url="], Refuses("remove it, and set url\nvalue password: ")),
        (&["password=x"], Holds(&["user: admin", "password: x", "http://prometheus:9090", "vexil-traefik"])),
        (&["password=x"], Lacks(&["GF_AUTH_ANONYMOUS", "kind: Role"])),
        (&["existingSecret=mine"], Holds(&["name: mine"])),
        (&["existingSecret=mine"], Lacks(&["kind: Secret\n"])),
        (&["password=x", "url=http://p:1", "user=u"], Holds(&["http://p:1", "user: u\n"])),
        (&["password=x", "service.port=3000", "service.type=NodePort"], Holds(&["type: NodePort"])),
        (&["password=x", "pasword=y"], Refuses("additional properties 'pasword' not allowed")),
    ]
};
