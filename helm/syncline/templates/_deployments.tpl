{{/* Settings, the narrower over the wider: maps are merged, everything else is replaced. Takes [wide, narrow], gives JSON. */}}
{{- define "syncline.over" -}}
{{- $out := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- if and (kindIs "map" $value) (kindIs "map" (index $out $key)) -}}
{{- $_ := set $out $key (include "syncline.over" (list (index $out $key) $value) | fromJson) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/*
Every deployment there is: {"items": [{service, connection, name, settings, facts}]}. facts are what files/catalogue.yaml knows of the
service; settings are defaults, the service's and the connection's, the narrowest last.
*/}}
{{- define "syncline.deployments" -}}
{{- $root := . -}}
{{- $base := include "syncline.base" . -}}
{{- $known := (.Files.Get "files/catalogue.yaml" | fromYaml).services -}}
{{- $items := list -}}
{{- range $service, $given := .Values.services -}}
{{- if and $given (ne (toString $given.enabled) "false") -}}
{{- $facts := index $known $service | required (printf "services.%s: files/catalogue.yaml does not know this service; it knows %s" $service (keys $known | sortAlpha | join ", ")) -}}
{{- $wide := include "syncline.over" (list $root.Values.defaults (omit $given "connections" "enabled")) | fromJson -}}
{{- if $facts.connectionKey -}}
{{- range $connection, $own := $given.connections -}}
{{- $own = $own | default dict -}}
{{- if ne (toString $own.enabled) "false" -}}
{{- $settings := include "syncline.over" (list $wide (omit $own "enabled")) | fromJson -}}
{{- $items = append $items (dict "service" $service "connection" $connection "name" (include "syncline.cut" (printf "%s-%s-%s" $base $service $connection)) "settings" $settings "facts" $facts) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $items = append $items (dict "service" $service "connection" "" "name" (include "syncline.cut" (printf "%s-%s" $base $service)) "settings" $wide "facts" $facts) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}

{{/* Kafka's security as configuration, with references to Secrets. Takes {root, user}: user is the KafkaUser's name with strimzi.users. */}}
{{- define "syncline.kafkaSecurity" -}}
{{- $security := .root.Values.kafka.security -}}
{{- $own := .root.Values.strimzi.users.enabled -}}
{{- $out := dict "protocol" $security.protocol -}}
{{- if hasPrefix "sasl" $security.protocol -}}
{{- $_ := set $out "mechanism" $security.mechanism -}}
{{- $_ := set $out "username" (ternary .user $security.username $own) -}}
{{- $_ := set $out "password_file" (dict "secret" (ternary .user $security.passwordSecret.name $own) "key" (ternary "password" $security.passwordSecret.key $own)) -}}
{{- end -}}
{{- if and (hasSuffix "tls" $security.protocol) $security.caSecret.name -}}
{{- $_ := set $out "ca_file" (dict "secret" $security.caSecret.name "key" $security.caSecret.key) -}}
{{- end -}}
{{- $client := ternary .user $security.clientSecret.name (and $own (eq $security.protocol "tls")) -}}
{{- if and (eq $security.protocol "tls") $client -}}
{{- $_ := set $out "certificate_file" (dict "secret" $client "key" $security.clientSecret.certificateKey) -}}
{{- $_ := set $out "key_file" (dict "secret" $client "key" $security.clientSecret.keyKey) -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* The configuration of a deployment before references are resolved. Takes {root, item, migrating}. */}}
{{- define "syncline.configTree" -}}
{{- $root := .root -}}{{- $item := .item -}}{{- $settings := $item.settings -}}
{{- $made := dict -}}
{{- $kafka := dict "brokers" ($root.Values.kafka.brokers | splitList ",") "topic_prefix" $root.Values.kafka.topicPrefix -}}
{{- /* A migration speaks to PostgreSQL alone, and the users of Kafka may not be there yet. */ -}}
{{- if not .migrating -}}
{{- $_ := set $kafka "security" (include "syncline.kafkaSecurity" (dict "root" $root "user" $item.name) | fromJson) -}}
{{- end -}}
{{- $_ := set $made "kafka" $kafka -}}
{{- $_ := set $made "admin" (dict "listen" "0.0.0.0:8081" "token_file" (dict "secret" $root.Values.admin.existingSecret "key" $root.Values.admin.tokensKey)) -}}
{{- if $item.facts.shops -}}{{- $_ := set $made "shops_file" "/etc/syncline/shops/shops.yaml" -}}{{- end -}}
{{- if include "syncline.readsMappings" $item -}}{{- $_ := set $made "mappings_dir" "/etc/syncline/mappings" -}}{{- end -}}
{{- $_ := set $made "limits" (dict "call_deadline" (printf "%ds" (int $settings.handlerDeadlineSeconds))) -}}
{{- $_ := set $made "drain_seconds" (include "syncline.drainSeconds" $settings | printf "%ss") -}}
{{- if $item.facts.state -}}
{{- $postgres := mergeOverwrite (dict) $root.Values.postgres $settings.postgres -}}
{{- $_ := set $made "postgres" (dict "url_file" (dict "secret" $postgres.existingSecret "key" $postgres.urlKey) "migrate_at_start" (not $root.Values.migrations.useHooks)) -}}
{{- end -}}
{{- if $item.connection -}}{{- $_ := set $made $item.facts.connectionKey $item.connection -}}{{- end -}}
{{- if has "listen" $item.facts.keys -}}{{- $_ := set $made "listen" (printf "0.0.0.0:%d" (int $settings.port)) -}}{{- end -}}
{{- if has "stock.sources_file" $item.facts.keys -}}{{- $_ := set $made "stock" (dict "sources_file" "/etc/syncline/sources/sources.yaml") -}}{{- end -}}
{{- $given := $settings.config | default dict -}}
{{- $stock := $given.stock | default dict -}}
{{- if and (has "stock.inventory_sync.urls" $item.facts.keys) $stock.mapping (not $stock.inventory_sync) -}}
{{- $asked := include "syncline.cut" (printf "%s-inventory-sync-%s" (include "syncline.base" $root) $stock.mapping) -}}
{{- $_ := set $made "stock" (dict "inventory_sync" (dict "urls" (list (printf "http://%s:8081" $asked)) "token_file" (dict "secret" $root.Values.admin.existingSecret "key" $root.Values.admin.tokensKey))) -}}
{{- end -}}
{{- include "syncline.over" (list $given $made) -}}
{{- end -}}

{{/* Whether a deployment reads mappings: its own, or that of the connection whose stock it compares. Takes an item; empty: no. */}}
{{- define "syncline.readsMappings" -}}
{{- if or .settings.mappingRequired (has "stock.inventory_sync.urls" .facts.keys) -}}yes{{- end -}}
{{- end -}}

{{/* Seconds from SIGTERM to the end: a handler may use its deadline, then it is committed. Takes settings. */}}
{{- define "syncline.drainSeconds" -}}{{ add (int .handlerDeadlineSeconds) 5 }}{{- end -}}

{{/* Below the grace period the process ends by itself. Takes settings. */}}
{{- define "syncline.graceSeconds" -}}{{ add (int .preStopSeconds) (include "syncline.drainSeconds" . | int) 5 }}{{- end -}}

{{/* {secret, key} of a key that ends in _file becomes the path it is mounted at. Takes a tree, gives JSON. */}}
{{- define "syncline.resolved" -}}
{{- $out := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "map" $value) -}}{{- $_ := set $out $key $value -}}
{{- else if and (hasSuffix "_file" $key) $value.secret -}}{{- $_ := set $out $key (printf "/run/secrets/syncline/%s/%s" $value.secret $value.key) -}}
{{- else -}}{{- $_ := set $out $key (include "syncline.resolved" $value | fromJson) -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* The references of a tree, a line "secret key" each. */}}
{{- define "syncline.references" -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- if and (hasSuffix "_file" $key) $value.secret }}
{{ $value.secret }} {{ $value.key }}
{{- else -}}{{ include "syncline.references" $value }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
