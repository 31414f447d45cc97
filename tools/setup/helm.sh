#!/usr/bin/env bash
# Builds the chart's tools into .dev/tools/helm: bin/helm, bin/kubeconform, bin/helm-unittest and schemas/ (Kubernetes' three newest
# minors and the CRDs the chart may write). Needs Go, Maven and pip, and the network once; a second run does nothing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$root/.dev/tools/helm
helm_version=v3.22.0
kubeconform_version=v0.8.0
unittest_version=v1.1.2
# Carries the schemas of Kubernetes 1.25 to 1.37.
schemas_version=1.37.0
keda_version=v2.21.0
gateway_version=v1.6.3
prometheus_operator_version=v0.85.0
external_secrets_version=v1.3.2
# The newest whose generator runs on Debian 12's Java 17; it knows v1beta2, whose fields that the chart writes are those of v1.
strimzi_version=0.45.0
stamp="$helm_version $kubeconform_version $unittest_version $schemas_version $keda_version $gateway_version $prometheus_operator_version $external_secrets_version $strimzi_version $(sha256sum <"$root/tools/setup/kubernetes_schemas.py" | cut -c1-12)"
say() { printf '\033[1msetup:\033[0m %s\n' "$*"; }
failed() { echo "setup: $*" >&2; exit 1; }
[ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ] && exit 0

command -v go >/dev/null || PATH=$PATH:/usr/lib/go-1.23/bin
command -v go >/dev/null || failed "Go is missing; run tools/dev setup once as root"
say "building helm, kubeconform and helm-unittest with Go, fetching Kubernetes' schemas (some minutes, once)"
rm -rf "$out"
mkdir -p "$out/bin"
work=$(mktemp -d)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
# Caches of its own, so that no gigabyte stays behind; a Go that is too old fetches the one these modules ask for.
export GOMODCACHE=$work/modules GOCACHE=$work/cache GOBIN=$out/bin GOTOOLCHAIN=auto GOFLAGS="-buildvcs=false -modcacherw" CGO_ENABLED=0
module() { # NAME@VERSION: the folder it was unpacked to
  (cd "$work" && go mod download -json "$1") | /usr/bin/python3 -c 'import json, sys; told = json.load(sys.stdin); sys.exit(told["Error"]) if "Error" in told else print(told["Dir"])'
}
program() { go install -trimpath -ldflags="-s -w" "$1" || failed "go install $1 failed; check the network and GOPROXY"; }
program "helm.sh/helm/v3/cmd/helm@$helm_version"
program "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform_version"
# go install refuses a module with replace directives, so it is built from its own folder.
unittest=$(module "github.com/helm-unittest/helm-unittest@$unittest_version")
(cd "$unittest" && go build -trimpath -ldflags="-s -w" -o "$out/bin/helm-unittest" ./cmd/helm-unittest) || failed "building helm-unittest failed"

crds=$work/crds
mkdir -p "$crds"
keda=$(module "github.com/kedacore/keda/v2@$keda_version")
gateway=$(module "sigs.k8s.io/gateway-api@$gateway_version")
prometheus=$(module "github.com/prometheus-operator/prometheus-operator@$prometheus_operator_version")
external=$(module "github.com/external-secrets/external-secrets@$external_secrets_version")
cp "$keda"/config/crd/bases/keda.sh_{scaledobjects,triggerauthentications}.yaml "$gateway/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" \
  "$prometheus"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml \
  "$external/config/crds/bases/external-secrets.io_externalsecrets.yaml" "$crds/"
cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>syncline</groupId><artifactId>strimzi-crds</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>$strimzi_version</version></dependency>
    <dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>$strimzi_version</version></dependency>
  </dependencies>
</project>
POM
(cd "$work" && mvn -B -q dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars" >mvn.log 2>&1) || { tail -20 "$work/mvn.log" >&2; failed "Maven could not fetch io.strimzi:crd-generator:$strimzi_version"; }
java -cp "$work/jars/*" io.strimzi.crdgenerator.CrdGenerator --yaml io.strimzi.api.kafka.model.topic.KafkaTopic="$crds/kafkatopic.yaml" \
  io.strimzi.api.kafka.model.user.KafkaUser="$crds/kafkauser.yaml" >"$work/crds.log" 2>&1 || { tail -20 "$work/crds.log" >&2; failed "Strimzi's CRDs could not be generated"; }
/usr/bin/python3 -m pip download -q --disable-pip-version-check --no-deps -d "$work" "kubernetes-validate==$schemas_version" || failed "pip could not fetch kubernetes-validate $schemas_version"
/usr/bin/python3 "$root/tools/setup/kubernetes_schemas.py" "$work"/kubernetes_validate-*.whl "$crds" "$out/schemas"
echo "$stamp" >"$out/.stamp"
