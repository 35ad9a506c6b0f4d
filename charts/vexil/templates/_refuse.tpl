{{/* What Flagger's chart has and this version does not do. Such a value fails the template: ignored, it would be found
missing in the middle of a rollout. Each line is the path of a value and what to do instead. */}}
{{- define "vexil.refused" -}}
slack.proxy: it never had an effect; use slack.proxyUrl
controlplane.kubeconfig.secretName: routes in another cluster are not part of this version
threadiness: there are no workers to count; remove it
kubeconfigQPS: there is no request quota to set; remove it
kubeconfigBurst: there is no request quota to set; remove it
rbac.pspEnabled: Kubernetes has no PodSecurityPolicy any more; the pods fit the restricted pod security standard
serviceMonitor.namespace: it never had an effect; the ServiceMonitor is in the release's namespace
{{- end -}}

{{/* Every value that is refused, in one message. */}}
{{- define "vexil.refuse" -}}
{{- $defects := list -}}
{{- range $line := splitList "\n" (include "vexil.refused" . | trim) -}}
{{- $path := index (splitList ": " $line) 0 -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if $value -}}{{- $defects = append $defects $line -}}{{- end -}}
{{- end -}}
{{- if regexMatch "(^|/)flagger$" (default "" .Values.image.repository) -}}
{{- $defects = append $defects (printf "image.repository: %q is the image of Flagger; remove image.repository and image.tag, or name the image of Vexil" .Values.image.repository) -}}
{{- end -}}
{{- if and (gt (int .Values.leaderElection.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- $defects = append $defects "leaderElection.replicaCount: several replicas need leaderElection.enabled=true, or each of them would drive the same Canaries" -}}
{{- end -}}
{{- if not (or .Values.metricsServer .Values.prometheus.install) -}}
{{- $defects = append $defects "metricsServer: the address of a Prometheus is needed, or prometheus.install=true" -}}
{{- end -}}
{{- range $provider := prepend .Values.rbac.providers .Values.meshProvider -}}
{{- if and $provider (not (include "vexil.findSystem" (dict "provider" $provider "root" $))) -}}
{{- $defects = append $defects (printf "%s: %q is not a provider of this version; it knows %s" (ternary "meshProvider" "rbac.providers" (eq $provider $.Values.meshProvider)) $provider (include "vexil.systemNames" $)) -}}
{{- end -}}
{{- end -}}
{{- if $defects -}}{{- fail (printf "\n\nvalue %s" (join "\nvalue " $defects)) -}}{{- end -}}
{{- end -}}
