{{- define "syncline.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "syncline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* What every pod of the chart has. Takes root. */}}
{{- define "syncline.podCommon" -}}
serviceAccountName: {{ include "syncline.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "syncline.podSecurity" . | nindent 2 }}
{{- end -}}

{{/*
Volumes of the Secrets a tree refers to, and of those mounted whole: a Secret has one volume, with the wanted keys only unless it is wanted
whole. Takes {tree, whole}, gives JSON {volumes, mounts}.
*/}}
{{- define "syncline.secretVolumes" -}}
{{- $wanted := dict -}}
{{- range include "syncline.references" .tree | trim | splitList "\n" -}}
{{- $parts := splitList " " (trim .) -}}
{{- if eq (len $parts) 2 -}}
{{- $_ := set $wanted (index $parts 0) (append (index $wanted (index $parts 0) | default list) (index $parts 1) | uniq | sortAlpha) -}}
{{- end -}}
{{- end -}}
{{- range .whole -}}{{- if . -}}{{- $_ := set $wanted . list -}}{{- end -}}{{- end -}}
{{- $volumes := list -}}{{- $mounts := list -}}
{{- range $secret, $keys := $wanted -}}
{{- $name := printf "secret-%s" (sha256sum $secret | trunc 10) -}}
{{- $source := dict "secretName" $secret "defaultMode" 288 -}}
{{- if $keys -}}
{{- $items := list -}}
{{- range $keys -}}{{- $items = append $items (dict "key" . "path" .) -}}{{- end -}}
{{- $_ := set $source "items" $items -}}
{{- end -}}
{{- $volumes = append $volumes (dict "name" $name "secret" $source) -}}
{{- $mounts = append $mounts (dict "name" $name "mountPath" (printf "/run/secrets/syncline/%s" $secret) "readOnly" true) -}}
{{- end -}}
{{- dict "volumes" $volumes "mounts" $mounts | toJson -}}
{{- end -}}

{{/* Volumes and mounts of a deployment's pod: {volumes, mounts} as JSON. Takes {root, item, tree, config}: the name of its ConfigMap. */}}
{{- define "syncline.podVolumes" -}}
{{- $root := .root -}}
{{- $whole := list -}}
{{- $maps := dict "config" .config -}}
{{- if .item.facts.shops -}}
{{- $whole = append $whole $root.Values.shopify.existingSecret -}}
{{- $_ := set $maps "shops" (include "syncline.shopsConfigMap" $root) -}}
{{- end -}}
{{- if has "stock.sources_file" .item.facts.keys -}}
{{- $whole = append $whole $root.Values.stockSources.existingSecret -}}
{{- $_ := set $maps "sources" (include "syncline.sourcesConfigMap" $root) -}}
{{- end -}}
{{- if include "syncline.readsMappings" .item -}}{{- $_ := set $maps "mappings" (include "syncline.mappingsConfigMap" $root) -}}{{- end -}}
{{- $secrets := include "syncline.secretVolumes" (dict "tree" .tree "whole" $whole) | fromJson -}}
{{- $volumes := list -}}{{- $mounts := list -}}
{{- range $volume, $map := $maps -}}
{{- $volumes = append $volumes (dict "name" $volume "configMap" (dict "name" $map)) -}}
{{- $mounts = append $mounts (dict "name" $volume "mountPath" (printf "/etc/syncline/%s" $volume) "readOnly" true) -}}
{{- end -}}
{{- $volumes = append $volumes (dict "name" "tmp" "emptyDir" (dict "sizeLimit" .item.settings.tmpSize)) -}}
{{- $mounts = append $mounts (dict "name" "tmp" "mountPath" "/tmp") -}}
{{- dict "volumes" (concat $volumes $secrets.volumes .item.settings.extraVolumes) "mounts" (concat $mounts $secrets.mounts .item.settings.extraVolumeMounts) | toJson -}}
{{- end -}}

{{- define "syncline.shopsConfigMap" -}}{{ .Values.shopify.existingConfigMap | default (printf "%s-shops" (include "syncline.base" .)) }}{{- end -}}
{{- define "syncline.sourcesConfigMap" -}}{{ .Values.stockSources.existingConfigMap | default (printf "%s-sources" (include "syncline.base" .)) }}{{- end -}}
{{- define "syncline.mappingsConfigMap" -}}{{ .Values.mappings.existingConfigMap | default (printf "%s-mappings" (include "syncline.base" .)) }}{{- end -}}

{{/* Environment of a service's container. Takes {root, item}. */}}
{{- define "syncline.env" -}}
{{- with .root.Values.tracing }}
{{- if .endpoint }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_TRACES_SAMPLER
  value: {{ .sampler | quote }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .samplerArgument | quote }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name={{ $.root.Release.Namespace }},k8s.pod.name=$(POD_NAME)
{{- end }}
{{- end }}
{{- with .item.settings.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
