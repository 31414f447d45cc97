// Push sources without files: one with an API key, one that signs, one that is net of every reservation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/stock_ports.h"

namespace ingress::testing {

class FakeSources final : public StockSources {
public:
    FakeSources() {
        add("wms-north", StockBasis::physical, StockProof::api_key, "north-key");
        add("erp", StockBasis::net_of_own, StockProof::hmac, "erp-secret");
        add("till", StockBasis::net_of_all, StockProof::api_key, "till-key");
    }
    void add(const std::string& name, StockBasis basis, StockProof proof, const std::string& secret) {
        sources_[name] =
            std::make_shared<const KnownSource>(KnownSource{.name = name, .label = name, .basis = basis, .proof = proof});
        secrets_[name] = {secret};
    }
    void remove(const std::string& name) { sources_.erase(name); }
    void set_secrets(const std::string& name, std::vector<std::string> secrets) { secrets_[name] = std::move(secrets); }
    // What the files say by now; seen when somebody looks again.
    void rotate(const std::string& name, std::vector<std::string> secrets) { rotated_[name] = std::move(secrets); }

    [[nodiscard]] std::shared_ptr<const KnownSource> by_name(std::string_view name) const override {
        const auto found = sources_.find(name);
        return found == sources_.end() ? nullptr : found->second;
    }
    [[nodiscard]] std::vector<std::string> secrets(const KnownSource& source) const override { return secrets_.at(source.name); }
    [[nodiscard]] bool refresh_secrets(const KnownSource& source) const override {
        const auto found = rotated_.find(source.name);
        if (found == rotated_.end()) {
            return false;
        }
        secrets_[source.name] = found->second;
        rotated_.erase(found);
        return true;
    }

private:
    std::map<std::string, std::shared_ptr<const KnownSource>, std::less<>> sources_;
    mutable std::map<std::string, std::vector<std::string>> secrets_;
    mutable std::map<std::string, std::vector<std::string>> rotated_;
};

// One report as a source writes it; `sku` makes it another one.
inline std::string report(const std::string& sku, const std::string& quantity = "12",
                          const std::string& observed_at = "2026-11-20T09:59:00Z") {
    return R"({"location":"HAL-1","sku":")" + sku + R"(","quantity":)" + quantity + R"(,"observed_at":")" + observed_at + R"("})";
}
inline std::string adjustment(const std::string& id, const std::string& sku, const std::string& delta = "-1") {
    return R"({"id":")" + id + R"(","location":"HAL-1","sku":")" + sku + R"(","delta":)" + delta +
           R"(,"observed_at":"2026-11-20T09:59:30+01:00"})";
}
// {"reports":[…]} of that many SKUs.
inline std::string batch_of(std::size_t records) {
    std::string body = R"({"reports":[)";
    for (std::size_t i = 0; i < records; ++i) {
        body += (i == 0 ? "" : ",") + report("SKU-" + std::to_string(i));
    }
    return body + "]}";
}

}  // namespace ingress::testing
