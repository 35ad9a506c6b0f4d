{{/* What Flagger's chart has and this one does not do: the path of a value and what to do instead. */}}
{{- define "loadtester.refused" -}}
appmesh.enabled: App Mesh has been shut down; remove it
meshName: App Mesh has been shut down; remove it
backends: App Mesh has been shut down; remove it
{{- end -}}

{{/* Every value that is refused, in one message. */}}
{{- define "loadtester.refuse" -}}
{{- $defects := list -}}
{{- range $line := splitList "\n" (include "loadtester.refused" . | trim) -}}
{{- $path := index (splitList ": " $line) 0 -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if $value -}}{{- $defects = append $defects $line -}}{{- end -}}
{{- end -}}
{{- if regexMatch "(^|/)flagger-loadtester$" (default "" .Values.image.repository) -}}
{{- $defects = append $defects (printf "image.repository: %q is the image of Flagger's load tester; remove image.repository and image.tag, or name the image of Vexil's" .Values.image.repository) -}}
{{- end -}}
{{- if and .Values.rbac.scope (not (has .Values.rbac.scope (list "cluster" "namespace"))) -}}
{{- $defects = append $defects (printf "rbac.scope: %q is neither cluster nor namespace" .Values.rbac.scope) -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.from) -}}
{{- $defects = append $defects "networkPolicy.from: name who may call, such as the namespace of the operator; otherwise every pod may" -}}
{{- end -}}
{{- if $defects -}}{{- fail (printf "\n\nvalue %s" (join "\nvalue " $defects)) -}}{{- end -}}
{{- end -}}
