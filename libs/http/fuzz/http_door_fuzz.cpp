// The HTTP door: any bytes, cut anywhere. What comes out must not depend on the cuts, and no limit may be passed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/request_parser.h"

namespace {

using syncline::http::RequestParser;

constexpr RequestParser::Limits kLimits{.header_bytes_max = 2'048, .target_bytes_max = 256, .body_bytes_max = 4'096};
constexpr std::size_t kBufferMax = kLimits.header_bytes_max + 4'096;

class Growth final : public RequestParser::Events {
public:
    bool on_head(const RequestParser& parser) override {
        parser.visit_head([](const syncline::http::Head& head) {
            if (head.target().size() > kLimits.target_bytes_max) {
                std::abort();
            }
        });
        return true;
    }
    bool on_body_growth(std::size_t bytes) override {
        reserved += bytes;
        return true;
    }
    std::size_t reserved = 0;
};

struct Seen {
    std::string text;
    bool failed = false;
    bool unfinished = false;
    friend bool operator==(const Seen&, const Seen&) = default;
};

// All requests in `bytes`, read in parts whose sizes repeat `cuts`; nothing is carried on after a failure.
Seen read_all(std::string_view bytes, const std::vector<std::size_t>& cuts) {
    Seen seen;
    std::string pending;
    std::size_t cut = 0;
    Growth growth;
    std::optional<RequestParser> parser;
    for (;;) {
        if (!parser) {
            growth.reserved = 0;
            parser.emplace(kLimits, "127.0.0.1", growth);
        }
        const auto progress = parser->take(pending);
        pending.erase(0, progress.consumed);
        if (progress.failure != RequestParser::Failure::none) {
            seen.failed = true;
            return seen;
        }
        if (parser->done()) {
            const auto request = parser->release();
            if (request.body.size() > kLimits.body_bytes_max || growth.reserved > kLimits.body_bytes_max ||
                parser->head_bytes() > kLimits.header_bytes_max) {
                std::abort();
            }
            seen.text.append(request.method()).append(" ").append(request.target()).append("\n");
            for (std::size_t i = 0; i < request.header_count(); ++i) {
                const auto [name, value] = request.header(i);
                seen.text.append(name).append(":").append(value).append("\n");
            }
            seen.text.append(request.body).append("\n");
            parser.reset();
            continue;
        }
        if (bytes.empty() || pending.size() > kBufferMax) {
            seen.unfinished = true;
            return seen;
        }
        const auto part = std::min(cuts[cut++ % cuts.size()], bytes.size());
        pending.append(bytes.substr(0, part));
        bytes.remove_prefix(part);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) {
        return 0;
    }
    const std::vector<std::size_t> cuts{data[0] % 61U + 1U, data[1] % 7U + 1U};
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = read_all(bytes, {std::max<std::size_t>(size, 1)});
    const auto cut = read_all(bytes, cuts);
    // A line that is too long may be seen as such earlier or later; what was read completely is the same.
    const auto shorter = std::min(whole.text.size(), cut.text.size());
    if (whole.text.substr(0, shorter) != cut.text.substr(0, shorter) || (!whole.failed && !cut.failed && whole != cut)) {
        std::abort();
    }
    return 0;
}
