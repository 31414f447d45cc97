#!/usr/bin/env bash
# Makes secrets/ from .env, one folder for each of the chart's Secrets and one file for each key. What was made by chance before (the
# admin token, the contact key) is kept: with another contact key, guests would be created anew.
set -euo pipefail
cd "$(dirname "$0")"
[ -f .env ] || { echo "secrets.sh: copy .env.example to .env and fill it in" >&2; exit 1; }
set -a
# shellcheck source=/dev/null
. ./.env
set +a
put() { # secret key value
  [ -n "$3" ] || { echo "secrets.sh: nothing in .env for $1/$2" >&2; exit 1; }
  mkdir -p "secrets/$1"
  printf '%s\n' "$3" >"secrets/$1/$2"
}
kept() { [ -s "secrets/$1/$2" ] && cat "secrets/$1/$2" || printf '%s' "$3"; }
[[ $POSTGRES_PASSWORD =~ ^[A-Za-z0-9]+$ ]] || { echo "secrets.sh: POSTGRES_PASSWORD is empty or has other than letters and digits" >&2; exit 1; }
put syncline-db uri "postgresql://syncline:$POSTGRES_PASSWORD@postgres:5432/syncline"
put syncline-admin tokens "$(kept syncline-admin tokens "operator:$(openssl rand -hex 24)")"
put syncline-export contact-key "$(kept syncline-export contact-key "$(openssl rand -hex 32)")"
put syncline-export odoo-api-key "${ODOO_API_KEY:-}"
put syncline-shopify app-main "${SHOPIFY_APP_SECRET:-}"
put syncline-shopify eu-token "${SHOPIFY_EU_TOKEN:-}"
put syncline-sources wms-north "${WMS_NORTH_KEY:-}"
put alertmanager pagerduty-orders "${PAGERDUTY_KEY:-}"
put alertmanager pagerduty-platform "${PAGERDUTY_KEY:-}"
# Read by the containers' user, 65532, and by nobody who cannot enter the folder's parents.
chmod 711 secrets
find secrets -mindepth 1 -type d -exec chmod 755 {} +
find secrets -type f -exec chmod 644 {} +
echo "secrets.sh: secrets/ is complete"
