// Whatever Zendesk answers, the reply parser gives a value or an error of the closed list.
#include <syncline/zendesk/reply.h>
#include <cstddef>
#include <cstdint>
#include <string>

namespace zendesk = syncline::zendesk;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    constexpr int kStatus[] = {200, 201, 400, 401, 404, 409, 422, 429, 500, 503};
    const std::string body(reinterpret_cast<const char*>(data) + 2, size - 2);
    syncline::http::Response response{.status = kStatus[data[0] % 10], .headers = {}, .body = body};
    response.headers.add("retry-after", body.substr(0, 12));
    const auto access = (data[1] & 1U) != 0 ? zendesk::Access::read : zendesk::Access::write;
    const auto document = zendesk::body_of(std::move(response), access);
    if (!document) {
        return 0;
    }
    if (const auto ticket = zendesk::ticket_in(*document); ticket && ticket->id <= 0) {
        __builtin_trap();
    }
    static_cast<void>(zendesk::first_ticket_in(*document));
    static_cast<void>(zendesk::user_in(*document));
    static_cast<void>(zendesk::audits_in(*document, "[syncline 1]"));
    return 0;
}
