{{/* What Flagger's chart has and this version does not do. Such a value fails the template: ignored, it would be found
missing in the middle of a rollout. Each line is the path of a value and what to do instead. */}}
{{- define "vexil.refused" -}}
ingressAnnotationsPrefix: the NGINX provider is not part of this version
ingressClass: the Contour provider is not part of this version
clusterName: alerts to chat services are not part of this version
slack.url: alerts to chat services are not part of this version; use eventWebhook
slack.channel: alerts to chat services are not part of this version; use eventWebhook
slack.token: alerts to chat services are not part of this version; use eventWebhook
slack.user: alerts to chat services are not part of this version; use eventWebhook
slack.proxy: alerts to chat services are not part of this version; use eventWebhook
slack.proxyUrl: alerts to chat services are not part of this version; use eventWebhook
msteams.url: alerts to chat services are not part of this version; use eventWebhook
msteams.proxyUrl: alerts to chat services are not part of this version; use eventWebhook
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
{{- range $variable := .Values.env -}}
{{- if has $variable.name (list "SLACK_URL" "SLACK_TOKEN" "SLACK_PROXY_URL" "MSTEAMS_URL" "MSTEAMS_PROXY_URL") -}}
{{- fail (printf "\n\nvalue env: %s: alerts to chat services are not part of this version; use EVENT_WEBHOOK_URL" $variable.name) -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int .Values.leaderElection.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "\n\nvalue leaderElection.replicaCount: several replicas need leaderElection.enabled=true, or each of them would drive the same Canaries" -}}
{{- end -}}
{{- range $provider := prepend .Values.rbac.providers .Values.meshProvider -}}
{{- if $provider -}}{{- $_ := include "vexil.system" (dict "provider" $provider "root" $) -}}{{- end -}}
{{- end -}}
{{- end -}}
