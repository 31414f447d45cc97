// The sources that may push stock: sources.yaml, re-read while running, so that a source is added without a restart.
//
//   sources:
//     wms-north:
//       proof: api_key                     # api_key or hmac
//       basis: physical                    # physical, net_of_own (of the source's own orders) or net_of_all
//       secret_files: [/secrets/wms-north, /secrets/wms-north-next]   # any of them is good: so a secret is rotated
//       enabled: true
//
// A source's name is for ever: part of every key. Relative secret files start in the folder of this file. A file is validated
// whole; a bad one keeps the last good one. Owned by the service; any thread.
#pragma once

#include <syncline/core/error.h>
#include <syncline/kit/secret_file.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/stock_ports.h"

namespace ingress {

class StockSourcesFile final : public StockSources {
public:
    static constexpr std::size_t kLabelsMax = 100;

    StockSourcesFile() : current_(std::make_shared<const Snapshot>()) {}

    // Replaces what is in force if `yaml` is right as a whole; else an error (kind rejected, code bad_sources_file, with the
    // lines). Called by the kit's file watch and by tests.
    syncline::core::Result<void> load(std::string_view yaml, const std::string& folder);

    [[nodiscard]] std::shared_ptr<const KnownSource> by_name(std::string_view name) const override;
    [[nodiscard]] std::vector<std::string> secrets(const KnownSource& source) const override;
    [[nodiscard]] bool refresh_secrets(const KnownSource& source) const override;
    // Enabled ones.
    [[nodiscard]] std::size_t count() const;

private:
    struct Entry {
        std::shared_ptr<const KnownSource> source;
        std::vector<syncline::kit::SecretFile> secrets;
        bool enabled = true;
    };
    using Snapshot = std::map<std::string, Entry, std::less<>>;
    class Reader;

    [[nodiscard]] std::shared_ptr<const Snapshot> current() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> current_;
};

}  // namespace ingress
