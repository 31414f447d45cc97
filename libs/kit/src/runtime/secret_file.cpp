#include <fmt/format.h>
#include <syncline/kit/secret_file.h>

#include <syncline/core/clock.h>
#include <mutex>
#include <optional>

#include "src/runtime/files.h"

namespace syncline::kit {
namespace {

constexpr std::size_t kSecretBytesMax = 256 * 1024;
constexpr auto kLookEvery = std::chrono::seconds{1};

}  // namespace

struct SecretFile::State {
    std::string path;
    std::mutex mutex;
    std::string content;
    std::optional<FileStamp> stamp;
    std::optional<core::SteadyTime> looked;

    // Under the mutex. True if the content changed.
    bool look() {
        looked = core::system_clock().steady();
        const auto now = stamp_of(path);
        if (!now || now == stamp) {
            return false;
        }
        auto text = read_file(path, kSecretBytesMax);
        if (!text) {
            return false;
        }
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) {
            text->pop_back();
        }
        // An empty file is one that is being written: the stamp is not kept, so the next look reads again.
        if (text->empty()) {
            return false;
        }
        stamp = now;
        const bool changed = *text != content;
        content = std::move(*text);
        return changed;
    }
};

SecretFile::SecretFile() : SecretFile(std::string()) {}

SecretFile::SecretFile(std::string path) : state_(std::make_shared<State>()) {
    state_->path = std::move(path);
}

SecretFile SecretFile::of(std::string content) {
    SecretFile secret;
    secret.state_->content = std::move(content);
    return secret;
}

bool SecretFile::configured() const {
    return !state_->path.empty() || !state_->content.empty();
}

const std::string& SecretFile::path() const {
    return state_->path;
}

std::string SecretFile::current() const {
    const std::lock_guard lock(state_->mutex);
    if (!state_->path.empty() && (!state_->looked || core::system_clock().steady() - *state_->looked >= kLookEvery)) {
        state_->look();
    }
    return state_->content;
}

bool SecretFile::refresh() const {
    const std::lock_guard lock(state_->mutex);
    return !state_->path.empty() && state_->look();
}

core::Result<void> SecretFile::check() const {
    if (state_->path.empty()) {
        if (configured()) {
            return {};
        }
        return core::fail(core::ErrorKind::unauthorized, "secret_unreadable", "no secret file is configured");
    }
    const auto text = read_file(state_->path, kSecretBytesMax);
    if (!text) {
        return core::fail(core::ErrorKind::unauthorized, "secret_unreadable", text.error().message,
                          "mount the secret at this path and make it readable for the service's user");
    }
    if (text->find_first_not_of("\r\n") == std::string::npos) {
        return core::fail(core::ErrorKind::unauthorized, "secret_unreadable", fmt::format("{} is empty", state_->path),
                          "write the secret into the file");
    }
    return {};
}

std::string mask_password(std::string_view url) {
    std::string masked(url);
    if (const auto scheme = masked.find("://"); scheme != std::string::npos) {
        const auto host_end = masked.find_first_of("/?#", scheme + 3);
        const auto at = masked.rfind('@', host_end == std::string::npos ? std::string::npos : host_end);
        const auto colon = masked.find(':', scheme + 3);
        if (at != std::string::npos && at > scheme && colon != std::string::npos && colon < at) {
            masked.replace(colon + 1, at - colon - 1, "****");
        }
    }
    for (std::size_t from = 0; (from = masked.find("password=", from)) != std::string::npos;) {
        from += 9;
        const bool quoted = from < masked.size() && masked[from] == '\'';
        auto end = quoted ? masked.find('\'', from + 1) : masked.find_first_of(" &", from);
        end = end == std::string::npos ? masked.size() : end + (quoted ? 1 : 0);
        masked.replace(from, end - from, "****");
        from += 4;
    }
    return masked;
}

}  // namespace syncline::kit
