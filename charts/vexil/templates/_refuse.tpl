{{/* What Flagger's chart has and this version does not do. Such a value fails the template: ignored, it would be found
missing in the middle of a rollout. Each line is the path of a value and what to do instead. */}}
{{- define "vexil.refused" -}}
ingressAnnotationsPrefix: the NGINX provider is not part of this version
ingressClass: the Contour provider is not part of this version
slack.proxy: it never had an effect; use slack.proxyUrl
controlplane.kubeconfig.secretName: routes in another cluster are not part of this version
threadiness: there are no workers to count; remove it
kubeconfigQPS: there is no request quota to set; remove it
kubeconfigBurst: there is no request quota to set; remove it
rbac.pspEnabled: Kubernetes has no PodSecurityPolicy any more; the pods fit the restricted pod security standard
linkerdAuthPolicy.create: the Linkerd provider is not part of this version
serviceMonitor.namespace: it never had an effect; the ServiceMonitor is in the release's namespace
{{- end -}}

{{- define "vexil.refuse" -}}
{{- range $line := splitList "\n" (include "vexil.refused" . | trim) -}}
{{- $path := index (splitList ": " $line) 0 -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if $value -}}{{- fail (printf "\n\nvalue %s" $line) -}}{{- end -}}
{{- end -}}
{{- if and (gt (int .Values.leaderElection.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "\n\nvalue leaderElection.replicaCount: several replicas need leaderElection.enabled=true, or each of them would drive the same Canaries" -}}
{{- end -}}
{{- range $provider := prepend .Values.rbac.providers .Values.meshProvider -}}
{{- if $provider -}}{{- $_ := include "vexil.system" (dict "provider" $provider "root" $) -}}{{- end -}}
{{- end -}}
{{- end -}}
