{{/* The dashboards as data of a ConfigMap: one JSON text for each file of files/dashboards. */}}
{{- define "grafana.files" -}}
{{- range $path, $_ := .Files.Glob "files/dashboards/*.yaml" }}
{{- $name := base $path | trimSuffix ".yaml" }}
{{ $name }}.json: {{ include "grafana.dashboard" (dict "name" $name "of" ($.Files.Get $path | fromYaml)) | quote }}
{{- end }}
{{- end -}}

{{/* One dashboard. `panels` of the file have a title, a unit and queries by their legends; those of `sides` are made for
each side of a rollout. Two panels stand in a row. */}}
{{- define "grafana.dashboard" -}}
{{- $of := .of -}}
{{- $panels := list -}}
{{- range $panel := include "grafana.panels" $of | fromYamlArray -}}
{{- $at := len $panels -}}
{{- $targets := list -}}
{{- range $legend, $query := $panel.queries -}}
{{- $targets = append $targets (dict "refId" (printf "Q%d" (len $targets)) "expr" $query "legendFormat" $legend "datasource" (dict "type" "prometheus" "uid" "prometheus")) -}}
{{- end -}}
{{- $panels = append $panels (dict
  "id" (add $at 1)
  "type" "timeseries"
  "title" $panel.title
  "datasource" (dict "type" "prometheus" "uid" "prometheus")
  "gridPos" (dict "h" 8 "w" 12 "x" (mul 12 (mod $at 2)) "y" (mul 8 (div $at 2)))
  "fieldConfig" (dict "defaults" (dict "unit" $panel.unit "min" 0) "overrides" list)
  "options" (dict "legend" (dict "displayMode" "list" "placement" "bottom") "tooltip" (dict "mode" "multi"))
  "targets" $targets) -}}
{{- end -}}
{{- $variables := list -}}
{{- range $variable := $of.variables -}}
{{- $variables = append $variables (dict
  "type" "query"
  "name" $variable.name
  "query" (dict "query" $variable.query "refId" $variable.name)
  "definition" $variable.query
  "datasource" (dict "type" "prometheus" "uid" "prometheus")
  "refresh" 2
  "sort" 1) -}}
{{- end -}}
{{- dict
  "uid" (printf "vexil-%s" .name)
  "title" $of.title
  "tags" (list "vexil")
  "timezone" "browser"
  "schemaVersion" 41
  "editable" false
  "refresh" "10s"
  "time" (dict "from" "now-15m" "to" "now")
  "templating" (dict "list" $variables)
  "panels" $panels | toJson -}}
{{- end -}}

{{/* The panels of a file. */}}
{{- define "grafana.panels" -}}
{{- $panels := default list .panels -}}
{{- with .requests -}}
{{- range $side := $.sides -}}
{{- $select := $side.select -}}
{{- $count := printf "%s{%s%s}" $.requests $select (default "" $.all) -}}
{{- $good := printf "%s{%s%s, %s}" $.requests $select (default "" $.all) $.good -}}
{{- $panels = append $panels (dict "title" (printf "%s: requests" $side.name) "unit" "reqps" "queries" (dict "all" (printf "sum(rate(%s[1m]))" $count))) -}}
{{- $panels = append $panels (dict "title" (printf "%s: success rate" $side.name) "unit" "percent" "queries" (dict "all" (printf "sum(rate(%s[1m])) / sum(rate(%s[1m])) * 100" $good $count))) -}}
{{- $latencies := dict -}}
{{- range $quantile := list "0.50" "0.90" "0.99" -}}
{{- $_ := set $latencies (printf "p%s" (trimPrefix "0." $quantile)) (printf "histogram_quantile(%s, sum(rate(%s{%s%s}[1m])) by (le))" $quantile $.duration $select (default "" $.durations)) -}}
{{- end -}}
{{- $panels = append $panels (dict "title" (printf "%s: latency" $side.name) "unit" $.unit "queries" $latencies) -}}
{{- with $side.pods -}}
{{- $pods := printf "namespace=\"$namespace\", pod=~\"%s\"" . -}}
{{- $panels = append $panels (dict "title" (printf "%s: CPU by pod" $side.name) "unit" "short" "queries" (dict "{{pod}}" (printf "sum(rate(container_cpu_usage_seconds_total{%s, container!~\"|POD\"}[1m])) by (pod)" $pods))) -}}
{{- $panels = append $panels (dict "title" (printf "%s: memory by pod" $side.name) "unit" "bytes" "queries" (dict "{{pod}}" (printf "sum(container_memory_working_set_bytes{%s, container!~\"|POD\"}) by (pod)" $pods))) -}}
{{- $panels = append $panels (dict "title" (printf "%s: network" $side.name) "unit" "Bps" "queries" (dict "received" (printf "sum(rate(container_network_receive_bytes_total{%s}[1m]))" $pods) "sent" (printf "sum(rate(container_network_transmit_bytes_total{%s}[1m]))" $pods))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $panels | toYaml -}}
{{- end -}}
