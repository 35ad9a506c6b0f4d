{{/* The system that a provider's name means. Keep with bins/vexil/src/wiring.rs; `cargo xtask charts` asks the operator. */}}
{{- define "vexil.system" -}}
{{- if has . (list "kubernetes" "kuma" "traefik" "apisix") -}}
{{- . -}}
{{- else if regexMatch "^smi:(v1alpha[123](:[^:]+)?|[^:]+)$" . | and (not (regexMatch "^smi:v1alpha([^123]|[123][^:]|$)" .)) -}}
smi
{{- else -}}
{{- fail (printf "\n\nvalue meshProvider: %q is not a provider of this version; it knows kubernetes, kuma, traefik, apisix, smi:<mesh>, smi:v1alpha1, smi:v1alpha2 and smi:v1alpha3" .) -}}
{{- end -}}
{{- end -}}

{{/* The systems whose routes may be written: that of meshProvider and of rbac.providers; all when Canaries name theirs. */}}
{{- define "vexil.systems" -}}
{{- if .Values.meshProvider -}}
{{- range $provider := prepend .Values.rbac.providers .Values.meshProvider }}{{ include "vexil.system" $provider }} {{ end -}}
{{- else -}}
kuma smi traefik apisix
{{- end -}}
{{- end -}}

{{/* What every Canary needs. Read: lists and watches, and one GET where a write's outcome or a whole object is needed.
Written: creates and patches with a version; nothing is ever updated whole, and Kubernetes collects what Canaries own. */}}
{{- define "vexil.rules" -}}
- apiGroups: [flagger.app]
  resources: [canaries]
  verbs: [get, list, watch]
- apiGroups: [flagger.app]
  resources: [canaries/status]
  verbs: [patch]
# Asked for by the admission plugin OwnerReferencesPermissionEnforcement when an owner reference blocks deletion.
- apiGroups: [flagger.app]
  resources: [canaries/finalizers]
  verbs: [update]
- apiGroups: [flagger.app]
  resources: [metrictemplates]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [get, list, watch, create, patch, delete]
# To say why pods do not become ready.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# Credentials that a MetricTemplate names.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* What the routers need in namespaces. */}}
{{- define "vexil.routeRules" -}}
{{- $systems := splitList " " (include "vexil.systems" .) -}}
{{- if has "traefik" $systems }}
- apiGroups: {{ .Values.traefik.apiGroup | default "traefik.io, traefik.containo.us" | printf "[%s]" }}
  resources: [traefikservices]
  verbs: [get, list, watch, create, patch]
{{- end }}
{{- if has "apisix" $systems }}
- apiGroups: [apisix.apache.org]
  resources: [apisixroutes]
  verbs: [get, list, watch, create, patch]
{{- end }}
{{- if has "smi" $systems }}
- apiGroups: [split.smi-spec.io]
  resources: [trafficsplits]
  verbs: [get, list, watch, create, patch]
{{- end }}
{{- end -}}

{{/* What is not in a namespace, or in none of the Canaries'. Kuma's routes can have no owner: they are watched wherever
they are served, and deleted once their Canary is gone. */}}
{{- define "vexil.clusterRules" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
- apiGroups: [kuma.io]
  resources: [trafficroutes, meshhttproutes]
  verbs: [list, watch]
{{- $systems := splitList " " (include "vexil.systems" .) }}
{{- if and (has "kuma" $systems) (ne .Values.kuma.routeKind "MeshHTTPRoute") }}
- apiGroups: [kuma.io]
  resources: [trafficroutes]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if and (has "kuma" $systems) (not .Values.meshProvider) }}
{{ include "vexil.meshHttpRouteRules" . }}
{{- end }}
{{- end -}}

{{/* Written in the namespace of Kuma's control plane only. */}}
{{- define "vexil.meshHttpRouteRules" -}}
- apiGroups: [kuma.io]
  resources: [meshhttproutes]
  verbs: [get, create, patch, delete]
{{- end -}}
