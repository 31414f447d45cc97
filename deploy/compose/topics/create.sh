#!/usr/bin/env bash
# Made by tools/docs/compose.py from proto/topics.yaml; do not edit. create.sh BROKERS
set -euo pipefail
create() { # name partitions settings…
  local name=$1 partitions=$2 settings=()
  for setting in "${@:3}"; do settings+=(--config "$setting"); done
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$brokers" --create --if-not-exists --topic "$name" --partitions "$partitions" \
    --replication-factor 1 "${settings[@]}"
}
brokers=$1
create syncline.orders.v1 12 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.customers.v1 6 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.shops.v1 1 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.exports.v1 12 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.fulfillments.v1 12 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.inventory.v1 12 cleanup.policy=delete retention.ms=604800000 max.message.bytes=10485760
create syncline.reconciliation.v1 6 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
create syncline.helpdesk.v1 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=10485760
create syncline.dead-letters.v1 6 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=11534336
create syncline.dead-letter-actions.v1 1 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=10485760
