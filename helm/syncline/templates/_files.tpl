{{/* shops.yaml as the services read it; secrets are keys of shopify.existingSecret. JSON. */}}
{{- define "syncline.shopsFile" -}}
{{- $folder := printf "/run/secrets/syncline/%s" .Values.shopify.existingSecret -}}
{{- $apps := dict -}}
{{- range $name, $app := .Values.shopify.apps -}}
{{- $files := list -}}
{{- range $app.secretKeys -}}{{- $files = append $files (printf "%s/%s" $folder .) -}}{{- end -}}
{{- $_ := set $apps $name (dict "secret_files" $files) -}}
{{- end -}}
{{- $shops := dict -}}
{{- range $alias, $shop := .Values.shops -}}
{{- $made := pick $shop "domain" "app" "currency" "timezone" "enabled" -}}
{{- with $shop.admin -}}
{{- $admin := dict -}}
{{- with .url -}}{{- $_ := set $admin "url" . -}}{{- end -}}
{{- with .apiVersion -}}{{- $_ := set $admin "api_version" . -}}{{- end -}}
{{- with .pointsPerSecond -}}{{- $_ := set $admin "points_per_second" (int .) -}}{{- end -}}
{{- with .tokenKey -}}{{- $_ := set $admin "token_file" (printf "%s/%s" $folder .) -}}{{- end -}}
{{- with .clientCredentials -}}
{{- $_ := set $admin "client_credentials" (dict "client_id" .clientId "client_secret_file" (printf "%s/%s" $folder .clientSecretKey)) -}}
{{- end -}}
{{- $_ := set $made "admin" $admin -}}
{{- end -}}
{{- $_ := set $shops $alias $made -}}
{{- end -}}
{{- dict "apps" $apps "shops" $shops | toJson -}}
{{- end -}}

{{/* The mapping files: {<connection>.yaml: text}. JSON. */}}
{{- define "syncline.mappingFiles" -}}
{{- $files := dict -}}
{{- range (include "syncline.deployments" . | fromJson).items -}}
{{- if .settings.mapping -}}
{{- $_ := set $files (printf "%s.yaml" .connection) (kindIs "string" .settings.mapping | ternary .settings.mapping (toYaml .settings.mapping)) -}}
{{- end -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{/* sources.yaml as the ingress service reads it. JSON. */}}
{{- define "syncline.sourcesFile" -}}
{{- $folder := printf "/run/secrets/syncline/%s" .Values.stockSources.existingSecret -}}
{{- $sources := dict -}}
{{- range $name, $source := .Values.stockSources.sources -}}
{{- $files := list -}}
{{- range $source.secretKeys -}}{{- $files = append $files (printf "%s/%s" $folder .) -}}{{- end -}}
{{- $made := merge (dict "secret_files" $files) (pick $source "proof" "basis" "enabled") -}}
{{- $_ := set $sources $name $made -}}
{{- end -}}
{{- dict "sources" $sources | toJson -}}
{{- end -}}

{{/* synclinectl's targets, with references to Secrets. JSON. */}}
{{- define "syncline.targetsTree" -}}
{{- $root := . -}}
{{- $services := list -}}
{{- range (include "syncline.deployments" . | fromJson).items -}}
{{- $one := dict "name" .service "admin" (printf "http://%s.%s.svc:8081" .name $root.Release.Namespace) -}}
{{- if .connection -}}{{- $_ := set $one "connection" .connection -}}{{- end -}}
{{- $services = append $services $one -}}
{{- end -}}
{{- $security := include "syncline.kafkaSecurity" (dict "root" . "user" (include "syncline.operatorUser" .)) | fromJson -}}
{{- $protocols := dict "plaintext" "plaintext" "tls" "ssl" "sasl_plaintext" "sasl_plaintext" "sasl_tls" "sasl_ssl" -}}
{{- $mechanisms := dict "plain" "PLAIN" "scram_sha_256" "SCRAM-SHA-256" "scram_sha_512" "SCRAM-SHA-512" -}}
{{- $properties := dict "security.protocol" (index $protocols $security.protocol) -}}
{{- with $security.mechanism -}}{{- $_ := set $properties "sasl.mechanism" (index $mechanisms .) -}}{{- end -}}
{{- with $security.username -}}{{- $_ := set $properties "sasl.username" . -}}{{- end -}}
{{- with $security.ca_file -}}{{- $_ := set $properties "ssl.ca.location" (printf "/run/secrets/syncline/%s/%s" .secret .key) -}}{{- end -}}
{{- with $security.certificate_file -}}{{- $_ := set $properties "ssl.certificate.location" (printf "/run/secrets/syncline/%s/%s" .secret .key) -}}{{- end -}}
{{- with $security.key_file -}}{{- $_ := set $properties "ssl.key.location" (printf "/run/secrets/syncline/%s/%s" .secret .key) -}}{{- end -}}
{{- $kafka := dict "brokers" .Values.kafka.brokers "prefix" .Values.kafka.topicPrefix "properties" $properties -}}
{{- with $security.password_file -}}{{- $_ := set $kafka "password_file" . -}}{{- end -}}
{{- dict "token_file" (dict "secret" .Values.admin.existingSecret "key" .Values.admin.tokensKey) "kafka" $kafka "services" $services | toJson -}}
{{- end -}}

{{- define "syncline.operatorUser" -}}{{ include "syncline.cut" (printf "%s-operator" (include "syncline.base" .)) }}{{- end -}}

{{/* Pod of a synclinectl command. Takes {root, command, connection}: the connection is its label. */}}
{{- define "syncline.operatorPod" -}}
{{- $root := .root -}}
{{- $security := include "syncline.kafkaSecurity" (dict "root" $root "user" (include "syncline.operatorUser" $root)) | fromJson -}}
{{- $tree := dict "kafka" $security "token_file" (dict "secret" $root.Values.admin.existingSecret "key" $root.Values.admin.tokensKey) -}}
{{- $secrets := include "syncline.secretVolumes" (dict "tree" $tree "whole" list) | fromJson -}}
{{- include "syncline.podCommon" $root }}
restartPolicy: Never
containers:
  - name: synclinectl
    image: {{ include "syncline.image" (dict "root" $root "service" "synclinectl") }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command: [/usr/bin/synclinectl]
    args:
      - --targets=/etc/syncline/targets/targets.yaml
      - --timeout={{ int $root.Values.synclinectl.timeoutSeconds }}
      {{- range .command }}
      - {{ toString . | quote }}
      {{- end }}
    securityContext:
      {{- include "syncline.containerSecurity" . | nindent 6 }}
    resources:
      {{- toYaml $root.Values.synclinectl.resources | nindent 6 }}
    volumeMounts:
      - {name: targets, mountPath: /etc/syncline/targets, readOnly: true}
      - {name: tmp, mountPath: /tmp}
      {{- with $secrets.mounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: targets
    configMap: {name: {{ include "syncline.base" $root }}-targets}
  - name: tmp
    emptyDir: {sizeLimit: 16Mi}
  {{- with $secrets.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
