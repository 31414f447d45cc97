// The mapping tables of one connection: mappings/<connection>.yaml, re-read while running.
//
// What the entries mean is the service's: its `parse` turns the whole text into a value of its own or refuses it (then the last
// good one stays, the refusal is logged and syncline_config_reload_failed{file} set). The version is the hash of the text; it
// goes on every result.
//
//   auto& mappings = service.mappings(config.connection, [](std::string_view text) { return as_parsed(parse_mapping(text)); });
//   const auto tables = mappings.current<MappingTables>();      // once for each event
//
// Owned by the Service, lives as long as it. All members from any thread; reading never blocks.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::kit {

struct MappingSnapshot {
    std::shared_ptr<const void> entries;  // What `parse` returned.
    std::string version;                  // First 16 hex digits of the SHA-256 of the text; empty before the first load.
    core::SystemTime first_seen;  // By this process; the processor keeps the first time of all in its table mapping_versions.
};

class Mappings {
public:
    using Parse = std::function<core::Result<std::shared_ptr<const void>>(std::string_view text)>;

    Mappings(std::string connection, Parse parse);
    Mappings(const Mappings&) = delete;
    Mappings& operator=(const Mappings&) = delete;

    [[nodiscard]] const std::string& connection() const { return connection_; }
    // Never nullptr; `entries` is only before the first load.
    [[nodiscard]] std::shared_ptr<const MappingSnapshot> snapshot() const;
    // The entries as the type `parse` made them; nullptr before the first load.
    template <typename T>
    [[nodiscard]] std::shared_ptr<const T> current() const {
        return std::static_pointer_cast<const T>(snapshot()->entries);
    }

    // Replaces the snapshot if `text` parses; equal text changes nothing. Called by the kit's file watch and by tests.
    core::Result<void> load(std::string_view text, core::SystemTime now);
    // Called after each load that changed the version, on the loading thread; must not block.
    void on_change(std::function<void(const MappingSnapshot&)> listener);

private:
    const std::string connection_;
    const Parse parse_;
    mutable std::mutex mutex_;
    std::shared_ptr<const MappingSnapshot> current_;
    std::vector<std::function<void(const MappingSnapshot&)>> listeners_;
};

// For `parse`: a Result<T> as the untyped value Mappings keeps.
template <typename T>
[[nodiscard]] core::Result<std::shared_ptr<const void>> as_parsed(core::Result<T> parsed) {
    if (!parsed) {
        return std::unexpected(std::move(parsed.error()));
    }
    return std::shared_ptr<const void>(std::make_shared<const T>(std::move(*parsed)));
}

}  // namespace syncline::kit
