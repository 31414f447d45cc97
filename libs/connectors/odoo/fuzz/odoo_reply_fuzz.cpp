// Whatever a target answers, the reply parser gives a value or an error of the closed list.
#include <syncline/odoo/reply.h>
#include <cstddef>
#include <cstdint>
#include <string>

namespace odoo = syncline::odoo;

namespace {

void walk(const odoo::Answer& answer) {
    const auto load = odoo::read_load(answer);
    if (load) {
        const auto verdict = odoo::judge(*load, 50);
        for (const auto& refused : verdict.refused) {
            if (refused.record >= 50) {
                __builtin_trap();
            }
        }
    }
    if (answer.value()) {
        for (const auto element : answer.value()->elements()) {
            for (const auto member : element.members()) {
                static_cast<void>(odoo::amount(member.value, 2));
                static_cast<void>(odoo::reference(member.value));
                static_cast<void>(odoo::ids(member.value));
                static_cast<void>(odoo::text(member.value));
                static_cast<void>(odoo::truth(member.value));
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    constexpr int kStatus[] = {200, 201, 401, 403, 404, 409, 422, 429, 500, 503};
    syncline::http::Response response;
    response.status = kStatus[data[0] % 10];
    response.headers.add("content-type", (data[1] & 1U) != 0 ? "text/html" : "application/json");
    response.body.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
    auto copy = response;
    if (const auto answer = odoo::read_json2(std::move(copy))) {
        walk(*answer);
    }
    if (const auto answer = odoo::read_jsonrpc(std::move(response))) {
        walk(*answer);
    }
    return 0;
}
