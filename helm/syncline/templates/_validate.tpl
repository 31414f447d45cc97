{{/* What a schema cannot say, each with its remedy. */}}
{{- define "syncline.validate" -}}
{{- $v := .Values -}}
{{- $deployments := (include "syncline.deployments" . | fromJson).items -}}
{{- $catalogue := .Files.Get "files/catalogue.yaml" | fromYaml -}}
{{- $partitions := dict -}}
{{- range $catalogue.topics -}}{{- $_ := set $partitions .name (int .partitions) -}}{{- end -}}
{{- if not $v.kafka.brokers -}}{{- fail "kafka.brokers is required: the brokers to start from, e.g. --set kafka.brokers=kafka-bootstrap:9092" -}}{{- end -}}
{{- if not $v.postgres.existingSecret -}}{{- fail "postgres.existingSecret is required: a Secret whose key postgres.urlKey holds the database's url; CloudNativePG's <cluster>-app fits" -}}{{- end -}}
{{- if not $v.admin.existingSecret -}}{{- fail "admin.existingSecret is required: kubectl create secret generic syncline-admin --from-literal=tokens=operator:$(openssl rand -hex 24)" -}}{{- end -}}
{{- if and (hasPrefix "sasl" $v.kafka.security.protocol) (not $v.strimzi.users.enabled) (or (not $v.kafka.security.username) (not $v.kafka.security.passwordSecret.name)) -}}
{{- fail (printf "kafka.security.protocol %s needs kafka.security.username and kafka.security.passwordSecret.name (or strimzi.users.enabled)" $v.kafka.security.protocol) -}}
{{- end -}}
{{- if $v.strimzi.users.enabled -}}
{{- $fits := ternary "sasl" "tls" (eq $v.strimzi.users.authentication "scram-sha-512") -}}
{{- if not (hasPrefix $fits $v.kafka.security.protocol) -}}
{{- fail (printf "strimzi.users.authentication %s does not fit kafka.security.protocol %s" $v.strimzi.users.authentication $v.kafka.security.protocol) -}}
{{- end -}}
{{- if $v.kafka.security.username -}}{{- fail "kafka.security.username is set and strimzi.users.enabled gives each deployment its own: remove one" -}}{{- end -}}
{{- end -}}
{{- if and (or $v.strimzi.users.enabled $v.strimzi.topics.enabled) (not $v.strimzi.cluster) -}}{{- fail "strimzi.cluster is required with strimzi.topics or strimzi.users: the name of the Kafka resource" -}}{{- end -}}
{{- if and $v.externalSecrets.enabled $v.migrations.useHooks -}}
{{- fail "externalSecrets.enabled makes Secrets after the migration hooks that need them: set migrations.useHooks=false" -}}
{{- end -}}
{{- if and $v.externalSecrets.enabled (not $v.externalSecrets.secretStoreRef.name) -}}{{- fail "externalSecrets.secretStoreRef.name is required with externalSecrets.enabled" -}}{{- end -}}
{{- if and (or $v.shops $v.shopify.apps) $v.shopify.existingConfigMap -}}{{- fail "shopify.existingConfigMap replaces shops and shopify.apps: remove one of the two" -}}{{- end -}}
{{- if and $v.shopify.apps (not $v.shopify.existingSecret) -}}{{- fail "shopify.existingSecret is required with shopify.apps: the Secret whose keys secretKeys name" -}}{{- end -}}
{{- range $alias, $shop := $v.shops -}}
{{- if not (hasKey $v.shopify.apps $shop.app) -}}{{- fail (printf "shops.%s.app is %s, which is not in shopify.apps" $alias $shop.app) -}}{{- end -}}
{{- end -}}
{{- if and $v.stockSources.sources (not $v.stockSources.existingSecret) -}}{{- fail "stockSources.existingSecret is required with stockSources.sources: the Secret whose keys secretKeys name" -}}{{- end -}}
{{- if and $v.stockSources.sources $v.stockSources.existingConfigMap -}}{{- fail "stockSources.existingConfigMap replaces stockSources.sources: remove one of the two" -}}{{- end -}}
{{- if and $v.expose.ingress.enabled (not $v.expose.ingress.hosts) -}}{{- fail "expose.ingress.hosts is required with expose.ingress.enabled" -}}{{- end -}}
{{- if and $v.expose.httpRoute.enabled (not $v.expose.httpRoute.parentRefs) -}}{{- fail "expose.httpRoute.parentRefs is required with expose.httpRoute.enabled: the Gateway" -}}{{- end -}}
{{- $mapped := dict -}}
{{- $names := list -}}
{{- range $deployments -}}{{- $names = append $names (printf "%s/%s" .service .connection) -}}{{- end -}}
{{- range $deployments -}}
{{- $where := ternary (printf "services.%s.connections.%s" .service .connection) (printf "services.%s" .service) (ne .connection "") -}}
{{- $settings := .settings -}}
{{- if and $settings.mappingRequired (not $settings.mapping) (not $v.mappings.existingConfigMap) -}}
{{- fail (printf "%s.mapping is required: the text or map of its mapping file (or mappings.existingConfigMap)" $where) -}}
{{- end -}}
{{- if and $settings.mapping $v.mappings.existingConfigMap -}}{{- fail (printf "%s.mapping is set and mappings.existingConfigMap too: remove one" $where) -}}{{- end -}}
{{- if $settings.mapping -}}
{{- $connection := .connection -}}
{{- with index $mapped .connection -}}{{- fail (printf "%s and %s have the same name, so both would read mappings/%s.yaml: name one of them otherwise" . $where $connection) -}}{{- end -}}
{{- $_ := set $mapped .connection $where -}}
{{- end -}}
{{- $stock := ($settings.config | default dict).stock | default dict -}}
{{- if and (has "stock.inventory_sync.urls" .facts.keys) $stock.mapping (not $stock.inventory_sync) (not (has (printf "inventory-sync/%s" $stock.mapping) $names)) -}}
{{- fail (printf "%s.config.stock.mapping is %s, which is no connection of services.inventory-sync: name one, or set config.stock.inventory_sync" $where $stock.mapping) -}}
{{- end -}}
{{- if .facts.consumes -}}
{{- $most := 0 -}}
{{- range .facts.consumes -}}{{- $most = max $most (index $partitions .) -}}{{- end -}}
{{- $pods := ternary $settings.autoscaling.maxReplicas $settings.replicas $settings.autoscaling.enabled | int -}}
{{- if gt $pods (int $most) -}}{{- fail (printf "%s: %d pods, but its topics have %d partitions and further pods would idle: lower replicas or autoscaling.maxReplicas" $where $pods (int $most)) -}}{{- end -}}
{{- if and $settings.autoscaling.enabled (eq $settings.autoscaling.by "keda") (ne $v.kafka.security.protocol "plaintext") (not $settings.autoscaling.authenticationRef) -}}
{{- fail (printf "%s.autoscaling.authenticationRef is required: KEDA needs a TriggerAuthentication for kafka.security.protocol %s" $where $v.kafka.security.protocol) -}}
{{- end -}}
{{- else if and $settings.autoscaling.enabled (eq $settings.autoscaling.by "keda") -}}
{{- fail (printf "%s consumes nothing, so it has no lag: set autoscaling.by to cpu" $where) -}}
{{- end -}}
{{- if gt (int $settings.autoscaling.minReplicas) (int $settings.autoscaling.maxReplicas) -}}{{- fail (printf "%s.autoscaling.minReplicas is above maxReplicas" $where) -}}{{- end -}}
{{- end -}}
{{- end -}}
