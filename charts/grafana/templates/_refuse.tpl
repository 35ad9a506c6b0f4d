{{/* What the Grafana chart of Flagger has and this one does not do: the path of a value and what to do instead. */}}
{{- define "grafana.refused" -}}
token: it was for a hosted service that has been shut down; remove it, and set url
{{- end -}}

{{/* Every value that is refused, in one message. */}}
{{- define "grafana.refuse" -}}
{{- $defects := list -}}
{{- range $line := splitList "\n" (include "grafana.refused" . | trim) -}}
{{- $path := index (splitList ": " $line) 0 -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = ternary (get (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if $value -}}{{- $defects = append $defects $line -}}{{- end -}}
{{- end -}}
{{- if not (or .Values.existingSecret .Values.password) -}}
{{- $defects = append $defects "password: a password is needed, or existingSecret; without one everybody would be an administrator" -}}
{{- end -}}
{{- if not .Values.url -}}
{{- $defects = append $defects "url: the address of a Prometheus is needed" -}}
{{- end -}}
{{- if $defects -}}{{- fail (printf "\n\nvalue %s" (join "\nvalue " $defects)) -}}{{- end -}}
{{- end -}}
