// Whatever Shopify, or what stands in its place, answers: a reply or an error of the closed list.
#include <syncline/shopify/batch.h>
#include <syncline/shopify/gid.h>
#include <syncline/shopify/operations.h>
#include <syncline/shopify/pages.h>
#include <syncline/shopify/reply.h>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace shopify = syncline::shopify;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    constexpr int kStatus[] = {200, 200, 201, 301, 400, 401, 402, 403, 404, 423, 429, 500, 503};
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
    static_cast<void>(shopify::IdempotentBatch::parse(text));
    static_cast<void>(shopify::id_of(text, shopify::type_of(text)));
    for (const auto* operation : {&shopify::kSetQuantities, &shopify::kOrder, &shopify::kItemsBySku}) {
        syncline::http::Response response;
        response.status = kStatus[data[0] % 13];
        if ((data[1] & 1U) != 0) {
            response.headers.add("retry-after", text.substr(0, 20));
        }
        response.body = text;
        const auto answer = shopify::read_answer(std::move(response), *operation);
        if (answer.cost && !std::isfinite(answer.cost->requested)) {
            __builtin_trap();
        }
        if (!answer.reply) {
            if (answer.reply.error().code.empty() || answer.reply.error().code.size() > 64) {
                __builtin_trap();
            }
            continue;
        }
        if (!answer.reply->user_errors().empty()) {
            static_cast<void>(shopify::fate_of(shopify::error_of(answer.reply->user_errors())));
        }
        static_cast<void>(shopify::page_of(*answer.reply, "inventoryItems"));
    }
    return 0;
}
