{{/* What Flagger's chart has and this one does not do: the path of a value and what to do instead. */}}
{{- define "loadtester.refused" -}}
appmesh.enabled: App Mesh is not part of this version
appmesh.backends: App Mesh is not part of this version
meshName: App Mesh is not part of this version
backends: App Mesh is not part of this version
istio.enabled: write the VirtualService yourself; the load tester is reached by hooks inside the cluster
istio.host: write the VirtualService yourself; the load tester is reached by hooks inside the cluster
istio.gateway.enabled: write the Gateway yourself; the load tester is reached by hooks inside the cluster
istio.tls.enabled: write the Gateway yourself; the load tester is reached by hooks inside the cluster
istio.tls.httpsRedirect: write the Gateway yourself; the load tester is reached by hooks inside the cluster
{{- end -}}

{{- define "loadtester.refuse" -}}
{{- range $line := splitList "\n" (include "loadtester.refused" . | trim) -}}
{{- $path := index (splitList ": " $line) 0 -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if $value -}}{{- fail (printf "\n\nvalue %s" $line) -}}{{- end -}}
{{- end -}}
{{- if and .Values.rbac.scope (not (has .Values.rbac.scope (list "cluster" "namespace"))) -}}
{{- fail (printf "\n\nvalue rbac.scope: %q is neither cluster nor namespace" .Values.rbac.scope) -}}
{{- end -}}
{{- end -}}
