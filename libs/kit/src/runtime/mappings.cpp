#include <syncline/kit/mappings.h>

#include <syncline/core/hash.h>

namespace syncline::kit {

Mappings::Mappings(std::string connection, Parse parse)
    : connection_(std::move(connection)), parse_(std::move(parse)), current_(std::make_shared<const MappingSnapshot>()) {}

std::shared_ptr<const MappingSnapshot> Mappings::snapshot() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

core::Result<void> Mappings::load(std::string_view text, core::SystemTime now) {
    const auto version = core::hex_encode(core::bytes_of(core::sha256(text))).substr(0, 16);
    if (snapshot()->version == version) {
        return {};
    }
    auto entries = parse_(text);
    if (!entries) {
        return std::unexpected(std::move(entries.error()));
    }
    const auto next = std::make_shared<const MappingSnapshot>(
        MappingSnapshot{.entries = std::move(*entries), .version = version, .first_seen = now});
    std::vector<std::function<void(const MappingSnapshot&)>> listeners;
    {
        const std::lock_guard lock(mutex_);
        current_ = next;
        listeners = listeners_;
    }
    for (const auto& listener : listeners) {
        listener(*next);
    }
    return {};
}

void Mappings::on_change(std::function<void(const MappingSnapshot&)> listener) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(std::move(listener));
}

}  // namespace syncline::kit
