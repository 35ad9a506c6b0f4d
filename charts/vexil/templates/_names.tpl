{{- define "vexil.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* A release that is called after Flagger keeps its names: guides and dashboards know `flagger` and
`flagger-prometheus`. 52 characters leave room for `-prometheus`. */}}
{{- define "vexil.fullname" -}}
{{- $name := include "vexil.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if or (contains $name .Release.Name) (contains "flagger" .Release.Name) -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "vexil.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "vexil.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "vexil.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vexil.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "vexil.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "vexil.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "vexil.prometheusLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "vexil.name" . }}-prometheus
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "vexil.metricsServer" -}}
{{- if .Values.prometheus.install -}}
http://{{ include "vexil.fullname" . }}-prometheus:9090
{{- else -}}
{{- .Values.metricsServer -}}
{{- end -}}
{{- end -}}

{{/* Names that the affinity of a values file written for Flagger's chart may call. */}}
{{- define "flagger.name" -}}{{ include "vexil.name" . }}{{- end -}}
{{- define "flagger.fullname" -}}{{ include "vexil.fullname" . }}{{- end -}}
{{- define "flagger.serviceAccountName" -}}{{ include "vexil.serviceAccountName" . }}{{- end -}}
