{{/* The systems that this version routes: each file of files/systems, by its name. `providers` is a regular expression of
their provider names (without those that match `except`), `names` is what messages list. `rules` are needed where Canaries
are, `clusterRules` cluster-wide, both if the system is enabled; `watched` always. `cargo xtask charts` checks that every
provider of the operator has a system. */}}
{{- define "vexil.systemTable" -}}
{{- $table := dict -}}
{{- range $path, $_ := .Files.Glob "files/systems/*.yaml" -}}
{{- $_ := set $table (base $path | trimSuffix ".yaml") (tpl ($.Files.Get $path) $ | fromYaml) -}}
{{- end -}}
{{- $table | toYaml -}}
{{- end -}}

{{/* The system of a provider; `provider` and `root` are given. */}}
{{- define "vexil.system" -}}
{{- $found := "" -}}
{{- $names := list -}}
{{- range $name, $system := include "vexil.systemTable" .root | fromYaml -}}
{{- $names = append $names $system.names -}}
{{- if and (regexMatch $system.providers $.provider) (not (and $system.except (regexMatch $system.except $.provider))) -}}
{{- $found = $name -}}
{{- end -}}
{{- end -}}
{{- if not $found -}}
{{- fail (printf "\n\nvalue meshProvider: %q is not a provider of this version; it knows %s" .provider (join ", " $names)) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* The enabled systems: that of meshProvider and of rbac.providers; all when each Canary names its provider. */}}
{{- define "vexil.systems" -}}
{{- if .Values.meshProvider -}}
{{- range $provider := prepend .Values.rbac.providers .Values.meshProvider }}{{ include "vexil.system" (dict "provider" $provider "root" $) }} {{ end -}}
{{- else -}}
{{- include "vexil.systemTable" . | fromYaml | keys | sortAlpha | join " " -}}
{{- end -}}
{{- end -}}

{{/* What every Canary needs. Read: lists and watches, and one GET where a write's outcome or a whole object is needed.
Written: creates and patches with a version; nothing is ever updated whole, and Kubernetes collects what Canaries own. */}}
{{- define "vexil.rules" -}}
# The patch is that of the finalizer of Canaries with revertOnDeletion.
- apiGroups: [flagger.app]
  resources: [canaries]
  verbs: [get, list, watch, patch]
- apiGroups: [flagger.app]
  resources: [canaries/status]
  verbs: [patch]
# Asked for by the admission plugin OwnerReferencesPermissionEnforcement when an owner reference blocks deletion.
- apiGroups: [flagger.app]
  resources: [canaries/finalizers]
  verbs: [update]
- apiGroups: [flagger.app]
  resources: [metrictemplates, alertproviders]
  verbs: [get, list, watch]
# Deleted is only the primary of an earlier target, after a migration.
- apiGroups: [apps]
  resources: [deployments, daemonsets]
  verbs: [get, list, watch, create, patch, delete]
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
{{- if .Values.configTracking.enabled }}
# What targets use, the copies for their primaries, and credentials that a MetricTemplate or an AlertProvider names.
- apiGroups: [""]
  resources: [configmaps, secrets]
  verbs: [get, list, watch, create, patch, delete]
{{- else }}
# Credentials that a MetricTemplate or an AlertProvider names.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* What the routers of the enabled systems need in namespaces. */}}
{{- define "vexil.routeRules" -}}
{{- $systems := splitList " " (include "vexil.systems" .) -}}
{{- range $name, $system := include "vexil.systemTable" . | fromYaml -}}
{{- if and (has $name $systems) $system.rules }}
{{ $system.rules | toYaml }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is not in a namespace, or in none of the Canaries'. */}}
{{- define "vexil.clusterRules" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
{{- $systems := splitList " " (include "vexil.systems" .) }}
{{- range $name, $system := include "vexil.systemTable" . | fromYaml }}
{{- with $system.watched }}
{{ toYaml . }}
{{- end }}
{{- with and (has $name $systems) $system.clusterRules }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Written in the namespace of Kuma's control plane only. */}}
{{- define "vexil.meshHttpRouteRules" -}}
- apiGroups: [kuma.io]
  resources: [meshhttproutes]
  verbs: [get, create, patch, delete]
{{- end -}}
