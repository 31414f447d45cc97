{{/* First part of every object's name. */}}
{{- define "syncline.base" -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name -}}{{ .Release.Name }}
{{- else -}}{{ .Release.Name }}-{{ .Chart.Name }}
{{- end -}}
{{- end -}}

{{/* A name of its own even where it has to be cut. Takes a text. */}}
{{- define "syncline.cut" -}}
{{- if gt (len .) 63 -}}{{ printf "%s-%s" (. | trunc 54 | trimSuffix "-") (sha256sum . | trunc 8) }}
{{- else -}}{{ . }}
{{- end -}}
{{- end -}}

{{- define "syncline.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "syncline.base" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* What never changes between releases of one deployment. Takes {root, service, connection}. */}}
{{- define "syncline.selector" -}}
app.kubernetes.io/name: {{ .service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .connection | default .service }}
{{- end -}}

{{/* Labels of every object. Takes {root, service, connection}; without a service those of the release as a whole. */}}
{{- define "syncline.labels" -}}
{{ include "syncline.selector" (dict "root" .root "service" (.service | default "syncline") "connection" .connection) }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: syncline
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of an object. Takes {root, name, service, connection, labels, annotations, namespace}. */}}
{{- define "syncline.metadata" -}}
name: {{ .name }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels:
  {{- include "syncline.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes {root, service}. */}}
{{- define "syncline.image" -}}
{{- $image := .root.Values.image -}}
{{- $path := printf "%s%s/%s" (ternary (printf "%s/" $image.registry) "" (ne $image.registry "")) $image.repository .service -}}
{{- with index $image.digests .service -}}{{ $path }}@{{ . }}
{{- else -}}{{ $path }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}
